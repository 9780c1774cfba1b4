#include "synth/synth.h"

#include <doctest/doctest.h>

#include <set>

#include "base/error.h"
#include "support/tiny_model.h"
#include "synth/presets.h"

using namespace sb3lm;

namespace {

std::size_t stored_weights(const Model& model) {
  std::size_t count = 0;
  for (const auto& [key, tensor] : model.tensors) {
    const Shape shape = shape_of(tensor);
    count += static_cast<std::size_t>(shape.rows) * static_cast<std::size_t>(shape.cols);
  }
  return count;
}

bool same_tensors(const Model& a, const Model& b) {
  for (const auto& [key, shape] : expected_tensors(a.spec)) {
    for (int row = 0; row < shape.rows; ++row) {
      for (int col = 0; col < shape.cols; ++col) {
        if (weight_at(a.at(key), row, col) != weight_at(b.at(key), row, col)) return false;
      }
    }
  }
  return a.tensors.size() == b.tensors.size();
}

}  // namespace

TEST_CASE("every small preset imports, with a tokenizer that fits") {
  for (const SynthPreset& preset : synth_presets()) {
    if (preset.full_scale) continue;
    CAPTURE(preset.name);
    const Model model = tiny_model(std::string(preset.name));
    CHECK(model.tensors.size() == expected_tensors(model.spec).size());
    CHECK(model.tokenizer.tokens.size() == static_cast<std::size_t>(model.spec.vocabulary));
    CHECK(model.names.size() == model.tensors.size());
  }
}

TEST_CASE("a seed names the same bytes, another one others") {
  SilentProgress silent;
  const auto bytes = [&silent](std::uint64_t seed) {
    return make_synthetic({.preset = "tiny-moe", .seed = seed}, silent).checkpoint;
  };
  CHECK(bytes(1) == bytes(1));
  CHECK(bytes(1) != bytes(2));
}

TEST_CASE("spelling and packing do not change the weights") {
  const Model plain = tiny_model("tiny-moe");
  CHECK(same_tensors(plain, tiny_model("tiny-moe-hf")));
  CHECK(same_tensors(plain, tiny_model("tiny-moe-flipped")));
}

TEST_CASE("Student weights differ from normal ones") {
  CHECK_FALSE(same_tensors(tiny_model("tiny-moe"),
                           tiny_model(SynthOptions{.preset = "tiny-moe", .student5 = true})));
}

TEST_CASE("a mixture of float weights has the size and the layers that its card names") {
  const ModelSpec spec = synth_model("slimmoe-250m").spec;
  std::int64_t weights = 0;
  for (const auto& [key, shape] : expected_tensors(spec)) {
    weights += std::int64_t{shape.rows} * shape.cols;
  }
  CHECK(weights == 288'757'248);
  const Model tiny = tiny_model("tiny-slimmoe");
  CHECK(tiny.spec == synth_model("tiny-slimmoe").spec);
  CHECK(tiny.spec.layers[0].attention.kv_heads == 1);
  CHECK(tiny.spec.layers[3].attention.rope.layout == RopeLayout::none);
  CHECK_FALSE(tiny.spec.layers[1].feed_forward.is_mixture());
  REQUIRE(tiny.notes.size() == 1);
}

TEST_CASE("files of small families are the specs that they are made from") {
  for (const char* preset : {"tiny-gpt2", "tiny-neox", "tiny-phi", "tiny-gemma2", "tiny-qwen3"}) {
    CAPTURE(preset);
    CHECK(tiny_model(preset).spec == synth_model(preset).spec);
  }
  const ModelSpec neo =
      tiny_model(SynthOptions{.preset = "tinystories-8m", .layers = 3, .vocabulary = 512}).spec;
  CHECK(neo.layers[0].attention.window == 0);
  CHECK(neo.layers[1].attention.window == 256);
  CHECK(neo.learned_positions == 2048);
}

TEST_CASE("small families have the weights that they were published with") {
  const std::pair<const char*, std::int64_t> kPublished[] = {
      {"pythia-14m", 14'067'712}, {"tinystories-8m", 19'702'528}, {"smollm-135m", 134'515'008}};
  for (const auto& row : kPublished) {
    CAPTURE(row.first);
    std::int64_t weights = 0;
    for (const auto& [key, shape] : expected_tensors(synth_model(row.first).spec)) {
      weights += std::int64_t{shape.rows} * shape.cols;
    }
    CHECK(weights == row.second);
  }
}

TEST_CASE("the full-size presets have the published sizes") {
  const Model five = tiny_model("ssmoelm-5l");
  CHECK(stored_weights(five) == 40'245'504);  // with the final norm
  CHECK(five.spec.passes == std::vector<int>{0, 1, 2, 3, 3, 4});
  CHECK(five.spec.layers[4].id == 5);
  CHECK(five.spec.layers[0].attention.kv_heads == 3);
  CHECK(std::get<CodedTensor>(five.at({Role::embedding})).format.bits == 3);
  CHECK(std::get<CodedTensor>(five.at({Role::v, 2})).format.bits == 1);
  CHECK(std::get<CodedTensor>(five.at({Role::v, 4})).format.bits == 4);
  CHECK(five.repetition_penalty == 1.3);
  CHECK(five.chat.stop_ids == std::vector<int>{6, 1});

  const Model six = tiny_model("ssmoelm-6l");
  CHECK(stored_weights(six) == 47'036'160);
  CHECK(std::get<CodedTensor>(six.at({Role::embedding})).format.bits == 4);
}

TEST_CASE("an unknown preset is answered with the list") {
  SilentProgress silent;
  CHECK_THROWS_WITH_AS(make_synthetic({.preset = "huge"}, silent),
                       doctest::Contains("there are ssmoelm-5l, ssmoelm-6l, tiny-moe"), Error);
}
