#include "support/small_families.h"

#include <cmath>

namespace sb3lm::test {
namespace {

constexpr int kWidth = 36, kHeads = 3, kHeadSize = 12, kContext = 40;

/// Two layers as GPT-2's.
ModelSpec gpt2() {
  ModelSpec spec{.family = "small",
                 .width = kWidth,
                 .vocabulary = 50,
                 .context = kContext,
                 .norm = NormKind::layer,
                 .learned_positions = kContext + 3,
                 .layers = {},
                 .passes = {0, 1}};
  for (int i = 0; i < 2; ++i) {
    spec.layers.push_back(
        {.id = i,
         .attention = {.query_heads = kHeads,
                       .kv_heads = kHeads,
                       .head_size = kHeadSize,
                       .rope = {},
                       .qkv_bias = true,
                       .o_bias = true},
         .feed_forward = {
             .hidden = 70, .gated = false, .activation = Activation::gelu_tanh, .bias = true}});
  }
  return spec;
}

ModelSpec gpt_neo() {
  ModelSpec spec = gpt2();
  for (LayerSpec& layer : spec.layers) {
    layer.attention.qkv_bias = false;
    layer.attention.score_scale = 1;
  }
  spec.layers[1].attention.window = 5;
  return spec;
}

ModelSpec gpt_neox() {
  ModelSpec spec = gpt2();
  spec.learned_positions = 0;
  spec.tied_head = false;
  for (LayerSpec& layer : spec.layers) {
    layer.attention.rope = {.layout = RopeLayout::half_split, .dims = 4};
    layer.feed_forward.activation = Activation::gelu;
    layer.residual = Residual::parallel;
  }
  return spec;
}

ModelSpec phi() {
  ModelSpec spec = gpt_neox();
  spec.head_bias = true;
  for (LayerSpec& layer : spec.layers) {
    layer.feed_forward.activation = Activation::gelu_tanh;
    layer.residual = Residual::parallel_one_norm;
  }
  return spec;
}

ModelSpec llama() {
  ModelSpec spec = gpt2();
  spec.norm = NormKind::rms;
  spec.learned_positions = 0;
  for (LayerSpec& layer : spec.layers) {
    layer.attention = {.query_heads = 4,
                       .kv_heads = 2,
                       .head_size = 10,
                       .rope = {.layout = RopeLayout::half_split, .base = 1e6, .dims = 10}};
    layer.feed_forward = {.hidden = 70};
  }
  return spec;
}

ModelSpec gemma2() {
  ModelSpec spec = llama();
  spec.embedding_scale = std::sqrt(kWidth);
  spec.logit_cap = 30;
  for (LayerSpec& layer : spec.layers) {
    layer.after_norms = true;
    layer.feed_forward.activation = Activation::gelu_tanh;
    layer.attention.score_scale = 0.25;
    layer.attention.score_cap = 2;
  }
  spec.layers[0].attention.window = 7;
  return spec;
}

ModelSpec qwen3() {
  ModelSpec spec = llama();
  for (LayerSpec& layer : spec.layers) layer.attention.head_norm = HeadNorm::weighted;
  return spec;
}

ModelSpec llama3() {
  ModelSpec spec = llama();
  RopeSpec& rope = spec.layers[0].attention.rope;
  rope.base = 100;
  rope.scaling = RopeScaling::llama3;
  rope.scaling_factor = 32;
  rope.original_positions = 64;
  spec.layers[1].attention.rope.scaling = RopeScaling::linear;
  spec.layers[1].attention.rope.scaling_factor = 4;
  spec.layers[1].feed_forward.activation = Activation::gelu;
  return spec;
}

ModelSpec opt() {
  ModelSpec spec = gpt2();
  for (LayerSpec& layer : spec.layers) layer.feed_forward.activation = Activation::relu;
  spec.layers[1].feed_forward.gated = true;
  return spec;
}

}  // namespace

std::vector<SmallFamily> small_families() {
  return {{"gpt2", gpt2()},     {"gpt_neo", gpt_neo()}, {"gpt_neox", gpt_neox()}, {"phi", phi()},
          {"gemma2", gemma2()}, {"qwen3", qwen3()},     {"llama 3", llama3()},    {"opt", opt()}};
}

}  // namespace sb3lm::test
