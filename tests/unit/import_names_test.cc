// What stands before names, what is no weight, --map, and what is judged before names: a checkpoint
// as people find it, in Hugging Face's names.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "import/import.h"
#include "import/names.h"
#include "model/fingerprint.h"
#include "support/checkpoint_writer.h"
#include "support/float_files.h"
#include "support/tiny_model.h"
#include "synth/torch_out.h"

using namespace sb3lm;
using Json = nlohmann::json;

namespace {

/// A small Llama that a test may change before it is read.
struct Files {
  Files() : files(test::hugging_face_files(test::float_model(tiny_model("tiny-dense")))) {
    weights.emplace(files.safetensors);
    config = Json::parse(files.config);
  }

  test::HuggingFaceFiles files;
  std::optional<CheckpointEditor> weights;
  Json config;
  std::string map;
  std::map<std::string, std::string> conventions = {};

  void wrap(const std::string& prefix) {
    for (TensorToWrite& tensor : weights->tensors) tensor.name = prefix + tensor.name;
  }
  void add(const std::string& name, const std::vector<std::int64_t>& shape) {
    std::size_t size = 4;
    for (const std::int64_t extent : shape) size *= static_cast<std::size_t>(extent);
    weights->tensors.push_back({name, "F32", shape, std::string(size, '\1')});
  }

  Model read() const {
    const std::string bytes = weights->bytes(), json = config.dump();
    CheckpointFiles in{.checkpoint = {"m.safetensors", as_bytes(bytes)},
                       .config = NamedBytes{"config.json", as_bytes(json)}};
    if (!map.empty()) in.name_map = NamedBytes{"map.json", as_bytes(map)};
    SilentProgress silent;
    return import_from_memory(in, conventions, silent);
  }

  std::string refusal() const {
    try {
      read();
    } catch (const Error& problem) {
      return fmt::format("{}: {}", static_cast<int>(problem.fault), problem.what());
    }
    return "it was read";
  }
};

void check_part(const std::string& said, const std::string& part) {
  CAPTURE(said);
  CHECK(said.find(part) != said.npos);
}

}  // namespace

TEST_CASE("prefixes that wrap names are dropped, one after the other") {
  CHECK(without_wrappers("_orig_mod.module.a.module.b") == "a.module.b");
  CHECK(without_wrappers("model.language_model.layers.0.x") == "layers.0.x");
  CHECK(without_wrappers("model.layers.0.x") == "model.layers.0.x");
  std::string many;
  for (int i = 0; i < 100'000; ++i) many += "module.";
  CHECK(without_wrappers(many + "a") == "a");
  const std::uint64_t whole = model_fingerprint(Files().read());
  for (const char* prefix : {"_orig_mod.", "module.", "language_model.", "base_model.model.",
                             "module._orig_mod.", "model.language_model."}) {
    CAPTURE(prefix);
    Files wrapped;
    wrapped.wrap(prefix);
    CHECK(model_fingerprint(wrapped.read()) == whole);
    wrapped.map = fmt::format(R"({{"{}model.norm.weight": "final_norm"}})", prefix);
    CHECK(model_fingerprint(wrapped.read()) == whole);
  }
  Files twice;
  twice.add("module.model.norm.weight", {48});
  check_part(twice.refusal(), "hold the same thing");
}

TEST_CASE("what is no weight is left out, by its name or by --map") {
  const std::uint64_t whole = model_fingerprint(Files().read());
  Files tables;
  tables.add("rotary_emb.inv_freq", {6});
  tables.add("model.layers.0.self_attn.rotary_emb.cos_cached", {1, 1, 64, 12});
  tables.add("model.layers.0.self_attn.rotary_emb.sin_cached", {1, 1, 64, 12});
  CHECK(model_fingerprint(tables.read()) == whole);

  Files others;
  others.add("model.layers.0.self_attn.num_calls", {});
  check_part(others.refusal(),
             "4: m.safetensors: 1 tensors have no known role: 'model.layers.0.self_attn.num_calls' "
             "[1, 1] (nearest: ");
  check_part(others.refusal(), "; name them with --map, or \"ignore\" them there");
  others.add("buffers.mask", {1, 1, 4, 4});
  check_part(others.refusal(),
             "tensor 'buffers.mask': rank 4 is outside 0..3; if it is no weight, "
             "\"ignore\" it with --map");
  others.map = R"({"model.layers.0.self_attn.num_calls": "ignore", "buffers.*": "ignore"})";
  CHECK(model_fingerprint(others.read()) == whole);
}

TEST_CASE("--map takes beginnings of names, of which the longest counts") {
  const std::uint64_t whole = model_fingerprint(Files().read());
  Files renamed;
  for (TensorToWrite& tensor : renamed.weights->tensors) {
    if (tensor.name.starts_with("model.layers.")) tensor.name.replace(0, 13, "net.stack.");
  }
  renamed.add("net.probe", {3});
  renamed.map = R"({"net.*": "ignore", "net.stack.*": "model.layers.*"})";
  CHECK(model_fingerprint(renamed.read()) == whole);
  renamed.map = R"({"net.*": "model.*"})";
  check_part(renamed.refusal(), "have no known role");
  renamed.map = R"({"net.*": "layer 0 q"})";
  check_part(renamed.refusal(),
             "3: map.json: 'net.*': 'layer 0 q' is neither \"ignore\" nor another");
  renamed.map = R"({"net.*": "ignore", "nets.*": "ignore"})";
  check_part(renamed.refusal(), "3: map.json: no tensor of m.safetensors begins with 'nets.'");
}

TEST_CASE("config.json is judged before names") {
  Files other;
  other.add("model.layers.0.self_attn.q_proj.qzeros", {2, 2});
  other.config["quantization_config"] = {{"quant_method", "gptq"}, {"bits", 4}};
  check_part(other.refusal(),
             "4: config.json: quantization_config is set (\"gptq\"): weights that "
             "another program has quantised are not supported");
  other.config.erase("quantization_config");
  other.config["quantization"] = {{"group_size", 16}};
  check_part(other.refusal(), "4: config.json: quantization is set: ");
  other.config.erase("quantization");
  other.config["hidden_act"] = "mish";
  check_part(other.refusal(), "4: config.json: hidden_act \"mish\" is not supported");
  other.config["model_type"] = "strange";
  check_part(other.refusal(), "4: config.json: model_type 'strange' is not supported");
}

TEST_CASE("all that is missing is asked for at once, with what the shapes suggest") {
  Files bare;
  for (const char* field :
       {"num_attention_heads", "num_key_value_heads", "max_position_embeddings"}) {
    bare.config.erase(field);
  }
  check_part(bare.refusal(),
             "3: m.safetensors: nothing says how large a head is: --convention head-size=N (or "
             "heads=N) (q has 48 rows and k 24: heads=6 if a head has 8); nor the context: "
             "--convention context=N (positions that it was trained with; no shape shows them)");
  bare.conventions = {{"heads", "4"}, {"context", "64"}};
  CHECK(bare.read().spec == Files().read().spec);
}

TEST_CASE("PyTorch's shards, and the index that names them") {
  const Files whole;
  std::vector<TorchTensor> parts[2];
  Json map;
  for (std::size_t i = 0; i < whole.weights->tensors.size(); ++i) {
    const TensorToWrite& tensor = whole.weights->tensors[i];
    parts[i % 2].push_back(
        {.name = tensor.name, .type = tensor.type, .shape = tensor.shape, .bytes = tensor.bytes});
    map[tensor.name] = fmt::format("pytorch_model-0000{}-of-00002.bin", i % 2 + 1);
  }
  const std::string index = Json{{"weight_map", map}}.dump(), config = whole.config.dump();
  const std::string first = write_torch(parts[0], {}), second = write_torch(parts[1], {});
  CheckpointFiles in{.checkpoint = {"pytorch_model.bin.index.json", as_bytes(index)},
                     .shards = {{"pytorch_model-00001-of-00002.bin", as_bytes(first)},
                                {"pytorch_model-00002-of-00002.bin", as_bytes(second)}},
                     .config = NamedBytes{"config.json", as_bytes(config)}};
  SilentProgress silent;
  CHECK(model_fingerprint(import_from_memory(in, {}, silent)) == model_fingerprint(whole.read()));
  const std::string pointer = "version https://git-lfs.github.com/spec/v1\n";
  in.shards[1].bytes = as_bytes(pointer);
  CHECK_THROWS_WITH_AS(import_from_memory(in, {}, silent),
                       doctest::Contains("-00002-of-00002.bin: this is a Git LFS pointer"), Error);
}
