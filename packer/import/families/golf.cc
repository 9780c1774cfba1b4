// Models of OpenAI's parameter golf, whose artifacts hold tensors only. What their programs do
// beside (which layers, which activation, how RoPE turns) is assumed by what tensors there are:
// with value embeddings, as in the records from 2026-03-22 on; without, as in those before.
#include <algorithm>
#include <cmath>

#include "base/portable_math.h"
#include "import/families/families.h"

namespace sb3lm {
namespace {

constexpr NameRule kNames[] = {
    {Role::embedding, "tok_emb"},
    {Role::head, "lm_head"},
    {Role::bigram_embedding, "bigram.embed"},
    {Role::bigram_proj, "bigram.proj"},
    {Role::bigram_scale, "bigram.scale"},
    {Role::smear_share, "smear.gate"},
    {Role::value_embedding, "ve_shared.embed"},
    {Role::value_proj, "ve_shared.proj"},
    {Role::value_scale, "ve_shared.scale"},
    {.role = Role::value_layer_scale, .pattern = "ve_layer_scales.{L}", .counts_own = true},
    {.role = Role::skip_scale, .pattern = "skip_weights", .counts_own = true},
    {.role = Role::stream_mix, .pattern = "blocks.{L}.resid_mix", .row = 0},
    {.role = Role::start_mix, .pattern = "blocks.{L}.resid_mix", .row = 1},
    {Role::attention_scale, "blocks.{L}.attn_scale"},
    {Role::ffn_scale, "blocks.{L}.mlp_scale"},
    {Role::query_gain, "blocks.{L}.attn.q_gain"},
    {Role::q, "blocks.{L}.attn.c_q"},
    {Role::k, "blocks.{L}.attn.c_k"},
    {Role::v, "blocks.{L}.attn.c_v"},
    {Role::o, "blocks.{L}.attn.proj"},
    {Role::up, "blocks.{L}.mlp.fc"},
    {Role::down, "blocks.{L}.mlp.proj"},
};

constexpr int kFirstContext = 1024, kLaterContext = 2048;
constexpr int kRotated = 16, kExclusive = 4;

bool claims(const Container& container, const Config* /*config*/) {
  return std::any_of(
      container.tensors.begin(), container.tensors.end(),
      [](const StoredTensor& tensor) { return tensor.name.ends_with(".attn.q_gain"); });
}

/// Of sequences longer than 1,024: the base grows with the length that models were trained at, for
/// every position alike.
double stretched_base(int context, int dims) {
  constexpr double kBase = 10000;
  if (context <= kFirstContext || dims <= 2) return kBase;
  return kBase * portable::exp(portable::log(static_cast<double>(context) / kFirstContext) * dims /
                               (dims - 2));
}

void assume_layers(ModelSpec& spec) {
  const bool later = spec.value_size() > 0;
  if (spec.context == 0) {
    spec.context = later || spec.bigram_buckets > 0 ? kLaterContext : kFirstContext;
  }
  if (!later) return;
  const int layers = static_cast<int>(spec.layers.size());
  for (int i = 0; i < layers; ++i) {
    LayerSpec& layer = spec.layers[static_cast<std::size_t>(i)];
    AttentionSpec& a = layer.attention;
    if (a.rope.dims == 0) a.rope.dims = std::min(kRotated, a.head_size);
    a.rope.base = stretched_base(spec.context, a.rope.dims);
    a.exclusive = a.kv_heads == a.query_heads || i >= layers - kExclusive;
    layer.norm_factor = 1 / std::sqrt(i + 1.0);
  }
}

}  // namespace

const Family& golf_family() {
  static const Family family{.name = "parameter-golf",
                             .model_types = {},
                             .assumed = {{"rope", "half-split"},
                                         {"rope-sign", "minus"},
                                         {"rope-base", "10000"},
                                         {"norm-eps", "1.1920928955078125e-07"},
                                         {"norm-weights", "false"},
                                         {"start-norm", "true"},
                                         {"head-norm", "plain"},
                                         {"activation", "relu2"},
                                         {"logit-cap", "30"}},
                             .rules = {kNames},
                             .ignored = {},
                             .settled = {},
                             .spellings = {},
                             .claims = claims,
                             .assume_layers = assume_layers};
  return family;
}

}  // namespace sb3lm
