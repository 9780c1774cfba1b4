// Whole models in PyTorch's files: beside a config.json, with doubles, and with buffers that are no
// weights.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "import/import.h"
#include "import/json.h"
#include "import/safetensors.h"
#include "model/fingerprint.h"
#include "support/pickles.h"
#include "support/tiny_model.h"
#include "synth/torch_out.h"

using namespace sb3lm;
using namespace sb3lm::test;

namespace {

SilentProgress silent;

std::string fixture(const std::string& name) {
  return std::string(MappedFile(SB3LM_SOURCE_DIR "/tests/fixtures/" + name).text());
}

/// A checkpoint of Hugging Face's as it lies in a folder with its config.json.
struct HfFolder {
  explicit HfFolder(const std::string& kind)
      : safetensors(fixture("tiny-" + kind + ".safetensors")),
        config(fixture("tiny-" + kind + ".config.json")) {
    const Container container = parse_safetensors("x", as_bytes(safetensors));
    for (const StoredTensor& tensor : container.tensors) {
      tensors.push_back(
          {tensor.name, tensor.type, tensor.shape, std::string(as_text(tensor.bytes))});
    }
  }

  Model read(const std::string& name, const std::string& bytes) const {
    return import_from_memory({.checkpoint = {name, as_bytes(bytes)},
                               .config = NamedBytes{"config.json", as_bytes(config)}},
                              {}, silent);
  }

  std::string safetensors, config;
  std::vector<TorchTensor> tensors;
};

std::string refusal(const std::string& bytes) {
  try {
    import_from_memory({.checkpoint = {"x.pt", as_bytes(bytes)}}, {}, silent);
  } catch (const Error& problem) {
    return fmt::format("{}: {}", static_cast<int>(problem.fault), problem.what());
  }
  return "it was read";
}

std::string zeros(std::size_t bytes) {
  return std::string(bytes, '\0');
}

}  // namespace

TEST_CASE("pytorch_model.bin beside config.json is the model that safetensors are") {
  for (const char* kind : {"llama", "mixtral", "qwen2_moe"}) {
    CAPTURE(kind);
    const HfFolder folder(kind);
    const Model one = folder.read("model.safetensors", folder.safetensors);
    const Model other = folder.read("pytorch_model.bin", write_torch(folder.tensors, {}));
    CHECK(one.spec == other.spec);
    CHECK(model_fingerprint(one) == model_fingerprint(other));
  }
}

TEST_CASE("a config.json beside the file wins over the configuration in it") {
  HfFolder folder("llama");
  const std::string wrong = R"({"model_type": "llama", "num_attention_heads": 3})";
  const std::string bytes =
      write_torch(folder.tensors, {.layout = TorchLayout::model, .config = wrong});
  CHECK(folder.read("pytorch_model.bin", bytes).spec ==
        folder.read("model.safetensors", folder.safetensors).spec);
  // Without one beside it, it is what the file says.
  const std::string right =
      write_torch(folder.tensors, {.layout = TorchLayout::model, .config = folder.config});
  const Model model = import_from_memory({.checkpoint = {"x.pt", as_bytes(right)}}, {}, silent);
  CHECK(model.spec == folder.read("model.safetensors", folder.safetensors).spec);
}

TEST_CASE("a tied head in the embedding's storage is no head") {
  HfFolder folder("llama");
  const auto embedding = std::ranges::find_if(folder.tensors, [](const TorchTensor& tensor) {
    return tensor.name == "model.embed_tokens.weight";
  });
  REQUIRE(embedding != folder.tensors.end());
  std::erase_if(folder.tensors, [](const auto& tensor) { return tensor.name == "lm_head.weight"; });
  const TorchTensor head{.name = "lm_head.weight",
                         .type = folder.tensors.front().type,
                         .shape = {},
                         .shares = "model.embed_tokens.weight"};
  for (TorchTensor& tensor : folder.tensors) {
    if (tensor.name != head.shares) continue;
    TorchTensor shared = head;
    shared.type = tensor.type;
    shared.shape = tensor.shape;
    folder.tensors.push_back(shared);
    break;
  }
  Json config = parse_json("config", folder.config);
  config["tie_word_embeddings"] = true;
  folder.config = config.dump();
  CHECK(folder.read("pytorch_model.bin", write_torch(folder.tensors, {})).spec.tied_head);
}

TEST_CASE("doubles become the nearest floats") {
  const HfFolder folder("llama");
  const Model model = folder.read("model.safetensors", folder.safetensors);
  std::vector<TorchTensor> floats;
  std::vector<std::string> items, storages;
  for (const auto& [key, name] : model.names) {
    const auto& tensor = std::get<FloatTensor>(model.at(key));
    const std::vector<std::int64_t> shape = {tensor.shape.rows, tensor.shape.cols};
    TorchTensor single{.name = name, .type = "F32", .shape = shape};
    std::string doubles;
    for (const float value : tensor.values) {
      const double wide = value * (1 + 0x1p-30);  // rounds back
      single.bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
      doubles.append(reinterpret_cast<const char*>(&wide), sizeof wide);
    }
    floats.push_back(std::move(single));
    items.push_back(pickles::text(name));
    items.push_back(pickles::whole("DoubleStorage", fmt::format("{}", storages.size()), shape));
    storages.push_back(std::move(doubles));
  }
  const auto read_doubles = [&] {
    return folder.read("pytorch_model.bin", pickles::file(pickles::dict(items), storages));
  };
  CHECK(model_fingerprint(read_doubles()) ==
        model_fingerprint(folder.read("pytorch_model.bin", write_torch(floats, {}))));
  // What no float can hold is no weight.
  const double huge = 1e300;
  storages[0].replace(0, sizeof huge, reinterpret_cast<const char*>(&huge), sizeof huge);
  CHECK_THROWS_WITH_AS(read_doubles(), doctest::Contains("element 0 is not finite"), Error);
}

TEST_CASE("buffers that are no weights are left out, of any type and shape") {
  HfFolder folder("llama");
  const Model plain = folder.read("model.safetensors", folder.safetensors);
  for (const TorchTensor& buffer :
       {TorchTensor{"model.layers.0.self_attn.rotary_emb.inv_freq", "F32", {4}, zeros(16)},
        TorchTensor{"model.layers.1.self_attn.rotary_emb.inv_freq", "F32", {}, zeros(4)},
        TorchTensor{
            "model.layers.1.self_attn.rotary_emb.inv_freq", "I8", {2, 1, 3, 2}, zeros(12)}}) {
    std::vector<TorchTensor> tensors = folder.tensors;
    tensors.push_back(buffer);
    const Model model = folder.read("pytorch_model.bin", write_torch(tensors, {}));
    CHECK(model_fingerprint(model) == model_fingerprint(plain));
  }
}

TEST_CASE("tensors without a role, weights of other types and halves of a model are refused") {
  const std::string strange = write_torch({{"encoder.weight", "F32", {2, 2}, zeros(16)}}, {});
  CHECK(refusal(strange).find("4: x.pt: 1 tensors have no known role: 'encoder.weight' [2, 2]") ==
        0);
  const std::string whole = pickles::file(
      pickles::dict({pickles::text("tok_emb.weight"), pickles::whole("LongStorage", "0", {2, 2}),
                     pickles::text("blocks.0.attn.q_gain"),
                     pickles::whole("FloatStorage", "1", {1})}),
      {zeros(32), zeros(4)});
  const std::string missing = refusal(whole);
  CHECK_MESSAGE(missing.find("3: x.pt: ") == 0, missing);
  CHECK_MESSAGE(missing.find("no tensor for layer 0 k") != missing.npos, missing);
}
