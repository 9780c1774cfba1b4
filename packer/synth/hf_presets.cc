#include "synth/hf_presets.h"

#include <cmath>

namespace sb3lm {
namespace {

struct Sizes {
  int layers, width, query_heads, kv_heads, head_size, hidden, vocabulary, context;
};

/// Layers of one kind. Without biases, gated, with RoPE, as Llama's are.
SynthModel of_family(std::string_view family, const Sizes& sizes) {
  ModelSpec spec{.family = std::string(family),
                 .width = sizes.width,
                 .vocabulary = sizes.vocabulary,
                 .context = sizes.context,
                 .norm_eps = 1e-5};
  for (int id = 0; id < sizes.layers; ++id) {
    LayerSpec layer{.id = id};
    layer.attention = {.query_heads = sizes.query_heads,
                       .kv_heads = sizes.kv_heads,
                       .head_size = sizes.head_size,
                       .rope = {.layout = RopeLayout::half_split, .dims = sizes.head_size}};
    layer.feed_forward.hidden = sizes.hidden;
    spec.layers.push_back(layer);
    spec.passes.push_back(id);
  }
  return {.spec = std::move(spec), .format = SynthFormat::hf, .describes_itself = false};
}

/// LayerNorm, biases in all places, and a feed forward of two matrices.
SynthModel with_biases(std::string_view family, const Sizes& sizes, Activation activation) {
  SynthModel model = of_family(family, sizes);
  model.spec.norm = NormKind::layer;
  for (LayerSpec& layer : model.spec.layers) {
    layer.attention.qkv_bias = layer.attention.o_bias = true;
    layer.feed_forward.gated = false;
    layer.feed_forward.bias = true;
    layer.feed_forward.activation = activation;
  }
  return model;
}

SynthModel with_positions(SynthModel model) {
  model.spec.learned_positions = model.spec.context;
  for (LayerSpec& layer : model.spec.layers) layer.attention.rope = {};
  return model;
}

void turn_part(SynthModel& model, int dims) {
  for (LayerSpec& layer : model.spec.layers) layer.attention.rope.dims = dims;
}

SynthModel neox(const Sizes& sizes) {
  SynthModel model = with_biases("gpt_neox", sizes, Activation::gelu);
  model.spec.tied_head = false;
  turn_part(model, sizes.head_size / 4);
  for (LayerSpec& layer : model.spec.layers) layer.residual = Residual::parallel;
  return model;
}

// 512 tokens are the smallest synthetic vocabulary.
constexpr Sizes kTiny{2, 48, 3, 3, 16, 96, 512, 64};

}  // namespace

SynthModel tiny_gpt2() {
  return with_positions(with_biases("gpt2", kTiny, Activation::gelu_tanh));
}

SynthModel tiny_neox() {
  return neox(kTiny);
}

SynthModel tiny_phi() {
  SynthModel model = with_biases("phi", kTiny, Activation::gelu_tanh);
  model.spec.tied_head = false;
  model.spec.head_bias = true;
  turn_part(model, kTiny.head_size / 2);
  for (LayerSpec& layer : model.spec.layers) layer.residual = Residual::parallel_one_norm;
  return model;
}

SynthModel tiny_gemma2() {
  SynthModel model = of_family("gemma2", {.layers = 3,
                                          .width = 48,
                                          .query_heads = 4,
                                          .kv_heads = 2,
                                          .head_size = 16,
                                          .hidden = 80,
                                          .vocabulary = 512,
                                          .context = 64});
  model.spec.norm_eps = 1e-6;
  model.spec.embedding_scale = std::sqrt(model.spec.width);
  model.spec.logit_cap = 30;
  for (LayerSpec& layer : model.spec.layers) {
    layer.after_norms = true;
    layer.attention.score_scale = 1 / std::sqrt(24.0);
    layer.attention.score_cap = 50;
    if (layer.id % 2 == 0) layer.attention.window = 20;
    layer.feed_forward.activation = Activation::gelu_tanh;
  }
  return model;
}

SynthModel tiny_qwen3() {
  SynthModel model = of_family("qwen3", {.layers = 2,
                                         .width = 40,
                                         .query_heads = 4,
                                         .kv_heads = 2,
                                         .head_size = 16,
                                         .hidden = 80,
                                         .vocabulary = 512,
                                         .context = 64});
  model.spec.norm_eps = 1e-6;
  for (LayerSpec& layer : model.spec.layers) {
    layer.attention.head_norm = HeadNorm::weighted;
    layer.attention.rope.base = 1e6;
  }
  return model;
}

SynthModel tinystories_8m() {
  constexpr int kWindow = 256;
  SynthModel model = with_positions(with_biases("gpt_neo",
                                                {.layers = 8,
                                                 .width = 256,
                                                 .query_heads = 16,
                                                 .kv_heads = 16,
                                                 .head_size = 16,
                                                 .hidden = 1024,
                                                 .vocabulary = 50257,
                                                 .context = 2048},
                                                Activation::gelu_tanh));
  for (LayerSpec& layer : model.spec.layers) {
    layer.attention.qkv_bias = false;
    layer.attention.score_scale = 1;
    if (layer.id % 2 == 1) layer.attention.window = kWindow;
  }
  return model;
}

SynthModel pythia_14m() {
  SynthModel model = neox({.layers = 6,
                           .width = 128,
                           .query_heads = 4,
                           .kv_heads = 4,
                           .head_size = 32,
                           .hidden = 512,
                           .vocabulary = 50304,
                           .context = 2048});
  model.float_type = FloatType::f16;
  return model;
}

SynthModel smollm_135m() {
  SynthModel model = of_family("llama", {.layers = 30,
                                         .width = 576,
                                         .query_heads = 9,
                                         .kv_heads = 3,
                                         .head_size = 64,
                                         .hidden = 1536,
                                         .vocabulary = 49152,
                                         .context = 2048});
  model.float_type = FloatType::bf16;
  return model;
}

}  // namespace sb3lm
