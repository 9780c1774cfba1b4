// One model in every format that holds it tells one story. Needs SB3LM_TEST_DATA, a folder with
// stories260K/ and babyllama105/.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "base/file.h"
#include "import/import.h"
#include "runtime_ref/engine.h"
#include "runtime_ref/generate.h"
#include "support/float_files.h"
#include "support/skip.h"
#include "synth/llama2c_out.h"

namespace {

using namespace sb3lm;
using namespace sb3lm::test;

SilentProgress silent;

std::optional<std::filesystem::path> data(const char* folder) {
  const char* root = std::getenv("SB3LM_TEST_DATA");
  if (root == nullptr || !std::filesystem::exists(std::filesystem::path(root) / folder)) {
    skip_case(std::string("SB3LM_TEST_DATA does not name a folder with ") + folder);
    return std::nullopt;
  }
  return std::filesystem::path(root) / folder;
}

Model read(const std::string& file, const std::string& bytes,
           const std::optional<NamedBytes>& tokenizer, const std::string& config = "") {
  CheckpointFiles files{.checkpoint = {file, as_bytes(bytes)}, .tokenizer = tokenizer};
  if (!config.empty()) files.config = NamedBytes{"config.json", as_bytes(config)};
  return import_from_memory(files, {}, silent);
}

std::vector<int> story(const Model& model, int tokens) {
  Engine engine(model);
  return generate(engine, {model.tokenizer.bos}, {.max_new_tokens = tokens}).tokens;
}

/// How many tokens they begin with alike.
std::size_t alike(const std::vector<int>& one, const std::vector<int>& other) {
  return static_cast<std::size_t>(
      std::mismatch(one.begin(), one.end(), other.begin(), other.end()).first - one.begin());
}

struct Stories {
  Model model;
  NamedBytes tokenizer;
  int tokens;
  std::vector<int> told = story(model, tokens);

  /// `rounded`: to how many bits weights were; 0: not at all.
  void check(const Model& again, int rounded) const {
    constexpr std::size_t kAlike = 100;  // of 8-bit codes: then two tokens come too close

    CHECK(again.spec.context == model.spec.context);
    CHECK(again.spec.tied_head == model.spec.tied_head);
    if (rounded == 0) {
      for (const TensorKey& key : {TensorKey{Role::embedding}, TensorKey{Role::down, 1}}) {
        CHECK(std::get<FloatTensor>(again.at(key)).values ==
              std::get<FloatTensor>(model.at(key)).values);
      }
    }
    CHECK(alike(story(again, tokens), told) >= (rounded == 8 ? kAlike : told.size()));
  }

  void check_all(const GgufEntries& inside) const {
    const FloatModel floats = float_model(model);
    for (const int version : {0, 1, 2}) {
      CAPTURE(version);
      check(read("model.bin", write_llama2c(floats, version), tokenizer), version == 2 ? 8 : 0);
    }
    const HuggingFaceFiles hf = hugging_face_files(floats);
    check(read("model.safetensors", hf.safetensors, tokenizer, hf.config), 0);
    check(read("pytorch_model.bin", hf.pytorch_model, tokenizer, hf.config), 0);
    const auto given = inside.empty() ? std::optional(tokenizer) : std::nullopt;
    for (const auto& [weights, rounded] :
         {std::pair(GgufWeights::f32, 0), {GgufWeights::f16, 16}, {GgufWeights::q8_0, 8}}) {
      CAPTURE(rounded);
      const Model again =
          read("model.gguf", write_gguf_model(floats, "llama", weights, inside), given);
      check(again, rounded);
      const std::string text = "Once upon a time, there was a little girl named Lily.";
      CHECK(encode(again.tokenizer, text, true) == encode(model.tokenizer, text, true));
    }
  }
};

}  // namespace

TEST_CASE("stories260K in every format") {
  const auto folder = data("stories260K");
  if (!folder) return;
  const MappedFile checkpoint(*folder / "stories260K.bin"), tokens(*folder / "tok512.bin");
  const NamedBytes tokenizer{"tok512.bin", tokens.bytes()};
  const Stories stories{.model = read("m.bin", std::string(checkpoint.text()), tokenizer),
                        .tokenizer = tokenizer,
                        .tokens = 256};
  CHECK(stories.told.size() == 256);
  stories.check_all(gguf_tokenizer_of(tokens.text(), 512));
}

TEST_CASE("babyllama105 in every format") {
  const auto folder = data("babyllama105");
  if (!folder) return;
  const MappedFile checkpoint(*folder / "model5000.bin"), tokens(*folder / "tok105.model");
  const NamedBytes tokenizer{"tok105.model", tokens.bytes()};
  const Stories stories{.model = read("m.bin", std::string(checkpoint.text()), tokenizer),
                        .tokenizer = tokenizer,
                        .tokens = 200};
  CHECK(stories.told.size() == 200);
  stories.check_all({});
}
