// What the specs say beside sizes is what packer/import/families assumes of such files: golf's hold
// nothing but tensors.
#include "synth/torch_presets.h"

#include <cmath>

#include "base/portable_math.h"

namespace sb3lm {
namespace {

struct GolfSizes {
  int layers, width, query_heads, kv_heads, head_size, hidden, vocabulary;
  int bigram_buckets = 0, bigram_width = 0;
  int value_width = 0, exclusive = 0;  // the last layers; two have value embeddings
};

/// Of RoPE in models of sequences twice as long as 1,024.
double stretched_base(int dims) {
  return 10000 * portable::exp(portable::log(2) * dims / (dims - 2));
}

LayerSpec golf_layer(const GolfSizes& sizes, int id) {
  LayerSpec layer{.id = id, .start_mix = true, .branch_scales = true};
  layer.attention = {
      .query_heads = sizes.query_heads,
      .kv_heads = sizes.kv_heads,
      .head_size = sizes.head_size,
      .rope = {.layout = RopeLayout::half_split, .dims = sizes.head_size, .sign = -1},
      .head_norm = HeadNorm::plain,
      .query_gain = true};
  layer.feed_forward = {.hidden = sizes.hidden, .gated = false, .activation = Activation::relu2};
  if (sizes.value_width == 0) return layer;
  constexpr int kRotated = 16, kWithValues = 2;
  layer.attention.rope.dims = kRotated;
  layer.attention.rope.base = stretched_base(kRotated);
  layer.attention.value_embedding = id >= sizes.layers - kWithValues;
  layer.attention.exclusive = id >= sizes.layers - sizes.exclusive;
  layer.norm_factor = 1 / std::sqrt(id + 1.0);
  return layer;
}

ModelSpec golf(const GolfSizes& sizes) {
  ModelSpec spec{.family = "parameter-golf",
                 .width = sizes.width,
                 .vocabulary = sizes.vocabulary,
                 .context = sizes.bigram_buckets > 0 ? 2048 : 1024,
                 .norm_eps = 0x1p-23,  // of float
                 .logit_cap = 30,
                 .norm_weights = false,
                 .bigram_buckets = sizes.bigram_buckets,
                 .bigram_width = sizes.bigram_width,
                 .start_norm = true,
                 .smear = sizes.bigram_buckets > 0,
                 .skips = true,
                 .value_width = sizes.value_width};
  for (int id = 0; id < sizes.layers; ++id) {
    spec.layers.push_back(golf_layer(sizes, id));
    spec.passes.push_back(id);
  }
  return spec;
}

/// Embeddings are of 8 bits, what brings their rows to a width is plain.
SynthModel golf_artifact(const GolfSizes& sizes, int attention_bits, int ffn_bits) {
  return {.spec = golf(sizes),
          .format = SynthFormat::golf,
          .bits = {{Role::embedding, 8},
                   {Role::bigram_embedding, 8},
                   {Role::value_embedding, 8},
                   {Role::bigram_proj, 16},
                   {Role::value_proj, 16},
                   {Role::q, attention_bits},
                   {Role::k, attention_bits},
                   {Role::v, attention_bits},
                   {Role::o, attention_bits},
                   {Role::up, ffn_bits},
                   {Role::down, ffn_bits}},
          .describes_itself = false};
}

/// Its matrices could have levels up to 127; those of trained ones keep to few.
SynthModel golf_first(const GolfSizes& sizes) {
  SynthModel model = golf_artifact(sizes, 5, 5);
  model.format = SynthFormat::golf_clean;
  return model;
}

struct ShardSizes {
  int layers, width, heads, head_size, hidden, vocabulary, context, window;
};

SynthModel shard(const ShardSizes& sizes) {
  ModelSpec spec{.family = "shard",
                 .width = sizes.width,
                 .vocabulary = sizes.vocabulary,
                 .context = sizes.context,
                 .norm_eps = 1e-5,
                 .logit_cap = 30};
  for (int id = 0; id < sizes.layers; ++id) {
    LayerSpec layer{.id = id};
    layer.attention = {.query_heads = sizes.heads,
                       .kv_heads = sizes.heads,
                       .head_size = sizes.head_size,
                       .rope = {.layout = RopeLayout::half_split, .dims = sizes.head_size}};
    // In turn, and the last one is global.
    if (id % 2 == 0 && id + 1 < sizes.layers) layer.attention.window = sizes.window;
    layer.feed_forward.hidden = sizes.hidden;
    spec.layers.push_back(layer);
    spec.passes.push_back(id);
  }
  SynthModel model{.spec = spec, .format = SynthFormat::shard, .describes_itself = false};
  for (const Role role :
       {Role::embedding, Role::q, Role::k, Role::v, Role::o, Role::gate, Role::up, Role::down}) {
    model.bits[role] = 16;
  }
  return model;
}

}  // namespace

SynthModel golf592() {
  return golf_artifact({.layers = 12,
                        .width = 512,
                        .query_heads = 8,
                        .kv_heads = 4,
                        .head_size = 64,
                        .hidden = 1536,
                        .vocabulary = 1024,
                        .bigram_buckets = 10240,
                        .bigram_width = 128,
                        .value_width = 128,
                        .exclusive = 4},
                       6, 5);
}

SynthModel golf585() {
  return golf_artifact({.layers = 11,
                        .width = 512,
                        .query_heads = 8,
                        .kv_heads = 8,
                        .head_size = 64,
                        .hidden = 1792,
                        .vocabulary = 1024,
                        .bigram_buckets = 8192,
                        .bigram_width = 128,
                        .value_width = 128,
                        .exclusive = 11},
                       5, 5);
}

SynthModel golf_nb() {
  return golf_first({.layers = 7,
                     .width = 384,
                     .query_heads = 8,
                     .kv_heads = 4,
                     .head_size = 48,
                     .hidden = 768,
                     .vocabulary = 1024});
}

SynthModel shard_40m() {
  return shard({.layers = 12,
                .width = 512,
                .heads = 8,
                .head_size = 64,
                .hidden = 2048,
                .vocabulary = 8192,
                .context = 8192,
                .window = 1024});
}

SynthModel tiny_golf592() {
  return golf_artifact({.layers = 5,
                        .width = 48,
                        .query_heads = 2,
                        .kv_heads = 1,
                        .head_size = 24,
                        .hidden = 80,
                        .vocabulary = 512,
                        .bigram_buckets = 97,
                        .bigram_width = 16,
                        .value_width = 20,
                        .exclusive = 4},
                       6, 5);
}

// Tables as wide as what they join.
SynthModel tiny_golf585() {
  return golf_artifact({.layers = 4,
                        .width = 48,
                        .query_heads = 2,
                        .kv_heads = 2,
                        .head_size = 24,
                        .hidden = 72,
                        .vocabulary = 512,
                        .bigram_buckets = 64,
                        .bigram_width = 48,
                        .value_width = 48,
                        .exclusive = 4},
                       5, 5);
}

SynthModel tiny_golf_nb() {
  return golf_first({.layers = 3,
                     .width = 40,
                     .query_heads = 4,
                     .kv_heads = 2,
                     .head_size = 10,
                     .hidden = 64,
                     .vocabulary = 512});
}

SynthModel tiny_shard() {
  SynthModel model = shard({.layers = 3,
                            .width = 48,
                            .heads = 3,
                            .head_size = 16,
                            .hidden = 80,
                            .vocabulary = 512,
                            .context = 256,
                            .window = 20});
  model.fused = true;
  return model;
}

}  // namespace sb3lm
