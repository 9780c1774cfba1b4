// Models of OpenAI's parameter golf, whose artifacts hold tensors only. What their programs do
// beside (which layers, which activation, how RoPE turns) is assumed by what tensors there are:
// with value embeddings, as in the records from 2026-03-22 on; without, as in those before.
#include <fmt/format.h>

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
std::string stretched_base(int context, int dims) {
  double base = 10000;
  if (context > kFirstContext && dims > 2) {
    base *= portable::exp(portable::log(static_cast<double>(context) / kFirstContext) * dims /
                          (dims - 2));
  }
  return fmt::format("{}", base);
}

/// Norms grow quieter from layer to layer.
std::string fading(int layers) {
  std::string factors = "1";
  for (int i = 1; i < layers; ++i) factors += fmt::format("/{}@{}", 1 / std::sqrt(i + 1.0), i);
  return factors;
}

std::string of_last_layers(int layers) {
  return layers <= kExclusive ? "true"
                              : fmt::format("false/true@{}-{}", layers - kExclusive, layers - 1);
}

std::vector<ShapeFact> assume(const ModelSpec& spec) {
  const bool later = spec.value_size() > 0, first = !later && spec.bigram_buckets == 0;
  const int context = spec.context > 0 ? spec.context : first ? kFirstContext : kLaterContext;
  const AttentionSpec& attention = spec.layers.front().attention;
  const int whole = attention.head_size, said = attention.rope.dims;
  const int part = said > 0 ? said : std::min(kRotated, whole);
  const int layers = static_cast<int>(spec.layers.size());
  std::vector<ShapeFact> facts = {{"context", fmt::format("{}", context)},
                                  {"activation", "relu2", {"leaky-relu2"}}};
  if (first) return facts;
  const std::string none = "false", all = "true", last = of_last_layers(layers);
  const bool is_for_all = attention.kv_heads == attention.query_heads;
  facts.push_back({"exclusive", !later ? none : is_for_all ? all : last, {none, last, all}});
  facts.push_back({"norm-factor", later ? fading(layers) : "1", {"1", fading(layers)}});
  const std::string dims = fmt::format("{}", later ? part : whole);
  facts.push_back({"rope-dims", dims, {fmt::format("{}", part), fmt::format("{}", whole)}});
  facts.push_back(
      {"rope-base",
       later ? stretched_base(context, part) : stretched_base(0, 0),
       {stretched_base(0, 0), stretched_base(context, part), stretched_base(context, whole)}});
  return facts;
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
                                         {"logit-cap", "30"}},
                             .rules = {kNames},
                             .ignored = {},
                             .settled = {"swiglu"},
                             .spellings = {},
                             .claims = claims,
                             .assume = assume};
  return family;
}

}  // namespace sb3lm
