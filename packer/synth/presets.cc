#include "synth/presets.h"

#include <fmt/ranges.h>

#include "base/error.h"
#include "synth/hf_presets.h"
#include "synth/torch_presets.h"

namespace sb3lm {
namespace {

struct Sizes {
  int width, query_heads, kv_heads, head_size, hidden, experts, vocabulary, context;
};
constexpr Sizes kSsmoelm{768, 12, 3, 64, 256, 8, 8192, 2048};
constexpr Sizes kTiny{64, 4, 2, 16, 32, 4, 512, 64};
constexpr Sizes kOdd{36, 3, 1, 12, 20, 5, 512, 48};

ModelSpec mixture(const Sizes& sizes, const std::vector<int>& ids, const std::vector<int>& passes) {
  ModelSpec spec{.family = "ssmoelm",
                 .width = sizes.width,
                 .vocabulary = sizes.vocabulary,
                 .context = sizes.context,
                 .layers = {},
                 .passes = passes};
  for (const int id : ids) {
    LayerSpec layer{.id = id, .attention = {}, .feed_forward = {}};
    layer.attention = {.query_heads = sizes.query_heads,
                       .kv_heads = sizes.kv_heads,
                       .head_size = sizes.head_size,
                       .rope = {.layout = RopeLayout::half_split, .dims = sizes.head_size}};
    layer.feed_forward = {.hidden = sizes.hidden,
                          .routed_experts = sizes.experts,
                          .top_k = 2,
                          .shared_experts = 1,
                          .shared_hidden = sizes.hidden};
    spec.layers.push_back(layer);
  }
  return spec;
}

SynthModel ssmoelm_5l() {
  return {.spec = mixture(kSsmoelm, {0, 1, 2, 3, 5}, {0, 1, 2, 3, 3, 4}),
          .weight_std = 0.02,
          .describes_itself = false};
}

SynthModel ssmoelm_6l() {
  return {.spec = mixture(kSsmoelm, {0, 1, 2, 3, 4, 5}, {0, 1, 2, 3, 4, 5}),
          .embedding_bits = 4,
          .weight_std = 0.02,
          .describes_itself = false};
}

SynthModel tiny_moe() {
  return {.spec = mixture(kTiny, {0, 1, 3}, {0, 1, 1, 2})};
}

SynthModel tiny_moe_hf() {
  SynthModel model = tiny_moe();
  model.layout = {.hf_names = true, .stacked = true, .slots = true};
  return model;
}

SynthModel tiny_moe_flipped() {
  SynthModel model = tiny_moe();
  model.layout.flipped = true;
  model.spec.norm_eps = 1e-6;
  for (LayerSpec& layer : model.spec.layers) {
    layer.attention.rope.layout = RopeLayout::interleaved;
    layer.attention.rope.base = 500000;
    layer.feed_forward.router_norm = RouterNorm::all;
  }
  return model;
}

SynthModel tiny_moe_untied() {
  SynthModel model = tiny_moe();
  model.spec.tied_head = false;
  return model;
}

SynthModel tiny_moe_noshared() {
  SynthModel model = tiny_moe();
  for (LayerSpec& layer : model.spec.layers) {
    layer.feed_forward.shared_experts = 0;
    layer.feed_forward.shared_hidden = 0;
  }
  return model;
}

// The parts of Qwen2-MoE's layers.
SynthModel tiny_moe_gated() {
  SynthModel model = tiny_moe();
  model.layout.hf_names = true;
  for (LayerSpec& layer : model.spec.layers) {
    layer.attention.qkv_bias = true;
    layer.feed_forward.shared_gated = true;
  }
  return model;
}

SynthModel tiny_moe_odd() {
  return {.spec = mixture(kOdd, {0, 2}, {0, 1, 0})};
}

SynthModel tiny_moe_embed4() {
  SynthModel model = tiny_moe();
  model.embedding_bits = 4;
  return model;
}

// Layers that see a few positions only, and capped logits.
SynthModel tiny_moe_window() {
  SynthModel model = tiny_moe();
  for (LayerSpec& layer : model.spec.layers) layer.attention.window = 20;
  model.spec.logit_cap = 15;
  return model;
}

// Feed-forwards of two matrices, with other activations and with a gate.
SynthModel tiny_relu2() {
  SynthModel model = tiny_moe();
  for (LayerSpec& layer : model.spec.layers) {
    layer.feed_forward = {
        .hidden = 4 * kTiny.hidden, .gated = false, .activation = Activation::relu2};
  }
  model.spec.layers[1].feed_forward.activation = Activation::silu;
  model.spec.layers[2].feed_forward.gated = true;
  return model;
}

SynthModel tiny_dense() {
  ModelSpec spec{.family = "llama2.c",
                 .width = 48,
                 .vocabulary = 512,
                 .context = 64,
                 .layers = {},
                 .passes = {0, 1}};
  LayerSpec layer;
  layer.attention = {.query_heads = 4,
                     .kv_heads = 2,
                     .head_size = 12,
                     .rope = {.layout = RopeLayout::interleaved, .dims = 12}};
  layer.feed_forward.hidden = 80;
  spec.layers = {layer, layer};
  spec.layers[1].id = 1;
  return {.spec = spec, .format = SynthFormat::llama2c};
}

SynthModel tiny_dense_untied() {
  SynthModel model = tiny_dense();
  model.spec.tied_head = false;
  return model;
}

// The parts of Qwen2's layers.
SynthModel tiny_gguf() {
  SynthModel model{.spec = mixture(kTiny, {0, 1}, {0, 1}), .format = SynthFormat::gguf};
  model.spec.family = "qwen2";
  for (LayerSpec& layer : model.spec.layers) {
    layer.attention.qkv_bias = true;
    layer.feed_forward = {.hidden = 3 * kTiny.hidden};
  }
  return model;
}

// Mixtures with KV heads of their own in each layer, every fourth layer without RoPE.
SynthModel slimmoe_250m() {
  SynthModel model{.spec = mixture({.width = 768,
                                    .query_heads = 12,
                                    .kv_heads = 3,
                                    .head_size = 64,
                                    .hidden = 1536,
                                    .experts = 4,
                                    .vocabulary = 50257,
                                    .context = 2048},
                                   {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                                   {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}),
                   .format = SynthFormat::mixture,
                   .weight_std = 0.02};
  model.spec.family = "slimmoe";
  for (LayerSpec& layer : model.spec.layers) {
    layer.feed_forward.shared_experts = layer.feed_forward.shared_hidden = 0;
    if (layer.id % 4 == 3) layer.attention.rope = {};
  }
  return model;
}

SynthModel tiny_slimmoe() {
  SynthModel model = slimmoe_250m();
  model.weight_std = 0;
  model.spec = mixture(kTiny, {0, 1, 2, 3}, {0, 1, 2, 3});
  model.spec.family = "slimmoe";
  for (LayerSpec& layer : model.spec.layers) {
    layer.feed_forward.shared_experts = layer.feed_forward.shared_hidden = 0;
    layer.attention.kv_heads = layer.id == 0 ? 1 : layer.id == 1 ? 4 : 2;
    if (layer.id == 3) layer.attention.rope = {};
  }
  model.spec.layers[1].feed_forward = {.hidden = 96};
  return model;
}

struct PresetRow {
  SynthPreset about;
  SynthModel (*make)();
};
constexpr bool kFull = true;
constexpr PresetRow kPresets[] = {
    {{"ssmoelm-5l", "the shape of SSMoELM-it-5L: 40.24M stored weights, 6 passes", kFull},
     ssmoelm_5l},
    {{"ssmoelm-6l", "the shape of SSMoELM-it: 47.04M stored weights, 4-bit embedding", kFull},
     ssmoelm_6l},
    {{"tiny-moe", "3 stored layers, 4 passes, width 64, 4 experts, vocabulary 512"}, tiny_moe},
    {{"tiny-moe-hf", "tiny-moe, other names, stacked experts, layers by slot"}, tiny_moe_hf},
    {{"tiny-moe-flipped", "tiny-moe with every convention the other way"}, tiny_moe_flipped},
    {{"tiny-moe-untied", "tiny-moe with a head of its own"}, tiny_moe_untied},
    {{"tiny-moe-noshared", "tiny-moe without shared experts"}, tiny_moe_noshared},
    {{"tiny-moe-gated", "tiny-moe with biases and a gated shared expert"}, tiny_moe_gated},
    {{"tiny-moe-odd", "widths that are no multiples of 8: 36, hidden 20, 5 experts"}, tiny_moe_odd},
    {{"tiny-moe-embed4", "tiny-moe with a 4-bit embedding"}, tiny_moe_embed4},
    {{"tiny-moe-window", "tiny-moe with sliding windows and a cap on the logits"}, tiny_moe_window},
    {{"tiny-relu2",
      "feed-forwards of two matrices, relu squared or silu, and a gate; otherwise tiny-moe"},
     tiny_relu2},
    {{"tiny-dense", "llama2.c version 0: 2 layers, width 48, float weights"}, tiny_dense},
    {{"tiny-dense-untied", "tiny-dense with a head of its own"}, tiny_dense_untied},
    {{"tiny-gguf", "GGUF with Q8_0: 2 layers, width 64, biases, its tokenizer inside"}, tiny_gguf},
    {{"golf592", "parameter golf: 30.40M weights of 5, 6 and 8 bits, 12 layers", kFull}, golf592},
    {{"golf585", "parameter golf: 33.58M weights of 5 and 8 bits, 11 layers", kFull}, golf585},
    {{"golf-nb", "parameter golf's first form: 7 layers of width 384", kFull}, golf_nb},
    {{"shard-40m", "the shape of Shard-40m-v1: 54.54M bfloat16 weights", kFull}, shard_40m},
    {{"slimmoe-250m", "a shape of SlimMoE-250M: 288.8M float weights, 16 layers of 4 experts",
      kFull},
     slimmoe_250m},
    {{"tiny-slimmoe", "4 layers of width 64, KV heads and RoPE by layer, a dense layer; floats"},
     tiny_slimmoe},
    {{"tiny-golf592", "golf592 with 5 layers of width 48"}, tiny_golf592},
    {{"tiny-golf585", "golf585 with 4 layers of width 48"}, tiny_golf585},
    {{"tiny-golf-nb", "golf-nb with 3 layers of width 40"}, tiny_golf_nb},
    {{"tiny-shard", "shard-40m with 3 layers of width 48, fused tensors"}, tiny_shard},
    {{"pythia-14m", "the shape of Pythia-14M (GPT-NeoX): 14.07M half-precision weights", kFull},
     pythia_14m},
    {{"tinystories-8m", "the shape of TinyStories-8M (GPT-Neo): 19.70M float weights", kFull},
     tinystories_8m},
    {{"smollm-135m", "the shape of SmolLM-135M (Llama): 134.52M bfloat16 weights", kFull},
     smollm_135m},
    {{"tiny-gpt2", "GPT-2: 2 layers of width 48, learned positions, LayerNorm, biases"}, tiny_gpt2},
    {{"tiny-neox", "GPT-NeoX: 2 layers of width 48, parallel halves, RoPE on a part of a head"},
     tiny_neox},
    {{"tiny-phi", "Phi: 2 layers of width 48, one norm for both halves, a head with a bias"},
     tiny_phi},
    {{"tiny-gemma2", "Gemma 2: 3 layers of width 48, norms behind, caps, windows"}, tiny_gemma2},
    {{"tiny-qwen3", "Qwen3: 2 layers of width 40, norms of q and k by head"}, tiny_qwen3},
};

std::vector<SynthPreset> preset_list() {
  std::vector<SynthPreset> list;
  for (const PresetRow& row : kPresets) list.push_back(row.about);
  return list;
}

}  // namespace

std::span<const SynthPreset> synth_presets() {
  static const std::vector<SynthPreset> list = preset_list();
  return list;
}

SynthModel synth_model(std::string_view preset) {
  std::vector<std::string_view> names;
  for (const PresetRow& row : kPresets) {
    if (row.about.name == preset) {
      SynthModel model = row.make();
      model.name = row.about.name;
      return model;
    }
    names.push_back(row.about.name);
  }
  fail(Fault::usage, "there is no preset '{}'; there are {}", preset, fmt::join(names, ", "));
}

void keep_layers(SynthModel& model, int layers) {
  ModelSpec& spec = model.spec;
  const int stored = static_cast<int>(spec.layers.size());
  if (layers < 1 || layers > stored) {
    fail(Fault::usage, "{} layers: preset {} has 1 to {}", layers, model.name, stored);
  }
  if (layers == stored) return;
  spec.layers.erase(spec.layers.begin() + (layers - 1), spec.layers.end() - 1);
  std::vector<int> passes;
  for (const int pass : spec.passes) {
    if (pass < layers - 1) passes.push_back(pass);
    if (pass == stored - 1) passes.push_back(layers - 1);
  }
  spec.passes = std::move(passes);
  model.describes_itself = true;
}

int stored_bits(const SynthModel& model, const TensorKey& key) {
  const auto own = model.bits.find(key.role);
  if (own != model.bits.end()) return own->second;
  if (is_vocabulary_matrix(key.role)) return model.embedding_bits;
  const int last = static_cast<int>(model.spec.layers.size()) - 1;
  // Only the outer layers have these at their usual width.
  const bool narrow = key.role == Role::v || key.role == Role::o;
  return narrow && key.layer != 0 && key.layer != last ? 1 : about(key.role).bits;
}

}  // namespace sb3lm
