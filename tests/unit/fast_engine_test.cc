// The fast engine against the verification engine, on every synthetic shape and every instruction
// set.
#include "runtime_ref/fast_engine.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "quant/rtn.h"
#include "support/fast_error.h"
#include "support/random_model.h"
#include "support/small_families.h"
#include "support/tiny_model.h"

using namespace sb3lm;
using namespace sb3lm::test;

namespace {

std::vector<int> some_tokens(const Model& model, int count) {
  std::vector<int> tokens;
  tokens.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) tokens.push_back((7 + 131 * i) % model.spec.vocabulary);
  return tokens;
}

void check_model(const Model& model) {
  const std::vector<int> tokens = some_tokens(model, std::min(40, model.spec.context));
  const PackedModel packed = pack_weights(model);
  for (const fast::Kernels* kernels : fast::all_kernels()) {
    FastEngine engine(packed, {.kernels = kernels});
    const double error = worst_error(model, all_logits(engine, tokens), tokens);
    INFO(kernels->name << ": " << error);
    CHECK(error < kFastTolerance);
    CHECK(error > 0);
  }
}

}  // namespace

TEST_CASE("the fast engine computes every synthetic shape") {
  for (const SynthPreset& preset : synth_presets()) {
    if (preset.full_scale) continue;
    CAPTURE(preset.name);
    const Model model = tiny_model(std::string(preset.name));
    check_model(model);
  }
}

TEST_CASE("the fast engine computes what small families have") {
  for (const SmallFamily& family : small_families()) {
    for (const int bits : {0, 4}) {
      CAPTURE(family.name);
      CAPTURE(bits);
      check_model(random_model(family.spec, {bits}, 3));
    }
  }
}

TEST_CASE("the fast engine computes every width of codes") {
  for (int bits = 1; bits <= 8; ++bits) {
    CAPTURE(bits);
    Model model = tiny_model("tiny-dense");
    quantise_matrices(model, bits);
    check_model(model);
  }
}

TEST_CASE("the fast engine adds biases and weighs a gated shared expert") {
  Model model = tiny_model("tiny-moe");
  const auto vector = [](int size, float factor) {
    FloatTensor tensor{.shape = {1, size}, .type = FloatType::f32, .values = {}};
    tensor.values.resize(static_cast<std::size_t>(size));
    for (int i = 0; i < size; ++i) {
      tensor.values[static_cast<std::size_t>(i)] = factor * static_cast<float>((i * 7) % 11 - 5);
    }
    return tensor;
  };
  for (int layer = 0; layer < static_cast<int>(model.spec.layers.size()); ++layer) {
    LayerSpec& spec = model.spec.layers[static_cast<std::size_t>(layer)];
    spec.attention.qkv_bias = true;
    spec.feed_forward.shared_gated = true;
    const int q_width = spec.attention.query_heads * spec.attention.head_size;
    model.tensors[{Role::q_bias, layer}] = vector(q_width, 0.1F);
    model.tensors[{Role::k_bias, layer}] = vector(model.spec.kv_width(layer), 0.2F);
    model.tensors[{Role::v_bias, layer}] = vector(model.spec.kv_width(layer), 0.15F);
    model.tensors[{Role::shared_router, layer}] = vector(model.spec.width, 0.05F);
  }
  check_model(model);
}

TEST_CASE("numbers depend neither on threads nor on how tokens are split") {
  const Model model = tiny_model("tiny-moe");
  const PackedModel packed = pack_weights(model);
  const std::vector<int> tokens = some_tokens(model, 50);
  FastEngine whole(packed);
  const LogitRows expected = all_logits(whole, tokens);
  for (const int threads : {1, 2, 3}) {
    for (const std::size_t part : {std::size_t{1}, std::size_t{7}, std::size_t{33}}) {
      FastEngine engine(packed, {.threads = threads});
      LogitRows rows;
      for (std::size_t at = 0; at < tokens.size(); at += part) {
        const auto some = std::span(tokens).subspan(at, std::min(part, tokens.size() - at));
        for (auto& row : all_logits(engine, some)) rows.push_back(std::move(row));
      }
      CHECK(rows == expected);
    }
  }
}
