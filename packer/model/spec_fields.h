// Every field of a ModelSpec and of its parts, once: its name in files, its name for people and its
// range. Whatever goes over all fields (ranges, fingerprints, `model info`, `inspect`) visits these
// tables; there is no second list.
#pragma once

#include <array>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "base/enum_names.h"
#include "model/spec.h"

namespace sb3lm {

/// Of a number, both ends included.
struct Range {
  double low = 0, high = 0;
};
/// Whether files hold a field that has its default. New fields are left out there, so that older
/// models keep their bytes.
enum class Written { always, unless_default };

/// Without a key, the fields of a part stand among those of the whole.
template <class Part, class Value>
struct Field {
  const char* key;
  const char* words;
  Value Part::*member;
  Range range = {};
  Written written = Written::unless_default;
};

// clang before 17 deduces no arguments of aggregates.
template <class Part, class Value>
Field(const char*, const char*, Value Part::*, Range = {}, Written = Written::unless_default)
    -> Field<Part, Value>;

namespace limits {
// Far above any model that fits a Scratch project, low enough that sizes computed from them fit in
// 64 bits and lists made of them fit in memory.
inline constexpr int kExtent = 1 << 20, kLayers = 512, kPasses = 2048, kHeads = 1024,
                     kHeadSize = 4096, kExperts = 1024, kLayerId = 99999;
}  // namespace limits

inline constexpr std::tuple kRopeFields{
    Field{"layout", "RoPE", &RopeSpec::layout, {}, Written::always},
    Field{"base", "RoPE base", &RopeSpec::base, {1, 1e30}, Written::always},
    Field{"dims", "rotated dims", &RopeSpec::dims, {0, limits::kHeadSize}, Written::always},
    Field{"sign", "RoPE sign", &RopeSpec::sign, {-1, 1}, Written::always},
    Field{"scaling", "RoPE scaling", &RopeSpec::scaling},
    Field{"scaling_factor", "RoPE scaling factor", &RopeSpec::scaling_factor, {1, 1e6}},
    Field{"low_frequency", "low frequency", &RopeSpec::low_frequency, {0, 1e6}},
    Field{"high_frequency", "high frequency", &RopeSpec::high_frequency, {0, 1e6}},
    Field{"original_positions",
          "original positions",
          &RopeSpec::original_positions,
          {0, limits::kExtent}},
};

inline constexpr std::tuple kAttentionFields{
    Field{"query_heads",
          "query heads",
          &AttentionSpec::query_heads,
          {1, limits::kHeads},
          Written::always},
    Field{"kv_heads", "KV heads", &AttentionSpec::kv_heads, {1, limits::kHeads}, Written::always},
    Field{"head_size",
          "head size",
          &AttentionSpec::head_size,
          {1, limits::kHeadSize},
          Written::always},
    Field{"rope", "RoPE", &AttentionSpec::rope, {}, Written::always},
    Field{"qkv_bias", "biases of q, k and v", &AttentionSpec::qkv_bias},
    Field{"o_bias", "bias of o", &AttentionSpec::o_bias},
    Field{"window", "window", &AttentionSpec::window, {0, limits::kExtent}},
    Field{"head_norm", "head norm", &AttentionSpec::head_norm},
    Field{"query_gain", "query gain", &AttentionSpec::query_gain},
    Field{"value_embedding", "value embedding", &AttentionSpec::value_embedding},
    Field{"exclusive", "exclusive attention", &AttentionSpec::exclusive},
    Field{"score_scale", "score scale", &AttentionSpec::score_scale, {0, 1e6}},
    Field{"score_cap", "score cap", &AttentionSpec::score_cap, {0, 1e6}},
};

inline constexpr std::tuple kFeedForwardFields{
    Field{
        "hidden", "hidden width", &FeedForwardSpec::hidden, {1, limits::kExtent}, Written::always},
    Field{"routed_experts",
          "routed experts",
          &FeedForwardSpec::routed_experts,
          {0, limits::kExperts},
          Written::always},
    Field{"top_k", "top-k", &FeedForwardSpec::top_k, {0, limits::kExperts}, Written::always},
    Field{"shared_experts",
          "shared experts",
          &FeedForwardSpec::shared_experts,
          {0, 1},
          Written::always},
    Field{"shared_hidden",
          "hidden width of the shared expert",
          &FeedForwardSpec::shared_hidden,
          {0, limits::kExtent},
          Written::always},
    Field{"router_norm", "router norm", &FeedForwardSpec::router_norm, {}, Written::always},
    Field{"shared_gated", "gated shared expert", &FeedForwardSpec::shared_gated},
    Field{"gated", "gate", &FeedForwardSpec::gated},
    Field{"activation", "activation", &FeedForwardSpec::activation},
    Field{"ffn_bias", "biases of the feed-forward", &FeedForwardSpec::bias},
};

inline constexpr std::tuple kLayerFields{
    Field{"id", "layer", &LayerSpec::id, {0, limits::kLayerId}, Written::always},
    Field{nullptr, nullptr, &LayerSpec::attention},
    Field{nullptr, nullptr, &LayerSpec::feed_forward},
    Field{"residual", "residual", &LayerSpec::residual},
    Field{"after_norms", "norms after halves", &LayerSpec::after_norms},
    Field{"start_mix", "start mix", &LayerSpec::start_mix},
    Field{"branch_scales", "branch scales", &LayerSpec::branch_scales},
    Field{"norm_factor", "norm factor", &LayerSpec::norm_factor, {1e-6, 1e6}},
};

inline constexpr std::tuple kModelFields{
    Field{"family", "family", &ModelSpec::family, {}, Written::always},
    Field{"width", "width", &ModelSpec::width, {1, limits::kExtent}, Written::always},
    Field{
        "vocabulary", "vocabulary", &ModelSpec::vocabulary, {1, limits::kExtent}, Written::always},
    Field{"context", "context", &ModelSpec::context, {1, limits::kExtent}, Written::always},
    Field{"norm_eps", "norm eps", &ModelSpec::norm_eps, {0, 1}, Written::always},
    Field{"norm", "norm", &ModelSpec::norm},
    Field{"tied_head", "tied head", &ModelSpec::tied_head, {}, Written::always},
    Field{"head_bias", "bias of the head", &ModelSpec::head_bias},
    Field{"embedding_scale", "embedding scale", &ModelSpec::embedding_scale, {1e-6, 1e6}},
    Field{"learned_positions",
          "learned positions",
          &ModelSpec::learned_positions,
          {0, limits::kExtent}},
    Field{"logit_cap", "logit cap", &ModelSpec::logit_cap, {0, 1e6}},
    Field{"norm_weights", "norm weights", &ModelSpec::norm_weights},
    Field{"bigram_buckets", "bigram buckets", &ModelSpec::bigram_buckets, {0, limits::kExtent}},
    Field{"bigram_width", "bigram width", &ModelSpec::bigram_width, {0, limits::kExtent}},
    Field{"start_norm", "start norm", &ModelSpec::start_norm},
    Field{"smear", "smear", &ModelSpec::smear},
    Field{"skips", "skips", &ModelSpec::skips},
    Field{"value_width", "value width", &ModelSpec::value_width, {0, limits::kExtent}},
    Field{"layers", "number of layers", &ModelSpec::layers, {1, limits::kLayers}, Written::always},
    Field{"passes", "number of passes", &ModelSpec::passes, {1, limits::kPasses}, Written::always},
};

constexpr const auto& fields_of(const RopeSpec*) {
  return kRopeFields;
}
constexpr const auto& fields_of(const AttentionSpec*) {
  return kAttentionFields;
}
constexpr const auto& fields_of(const FeedForwardSpec*) {
  return kFeedForwardFields;
}
constexpr const auto& fields_of(const LayerSpec*) {
  return kLayerFields;
}
constexpr const auto& fields_of(const ModelSpec*) {
  return kModelFields;
}

namespace detail {
struct Anything {
  template <class T>
  operator T() const;
};
/// How many members an aggregate has: as many as it takes initialisers.
template <class Part, class... Members>
constexpr std::size_t count_members() {
  if constexpr (requires { Part{Members()..., Anything()}; }) {
    return count_members<Part, Members..., Anything>();
  }
  return sizeof...(Members);
}
template <class... Parts>
constexpr bool have_rows_for_all() {
  return ((count_members<Parts>() ==
           std::tuple_size_v<
               std::remove_cvref_t<decltype(fields_of(static_cast<const Parts*>(nullptr)))>>)&&...);
}
}  // namespace detail
static_assert(
    detail::have_rows_for_all<RopeSpec, AttentionSpec, FeedForwardSpec, LayerSpec, ModelSpec>(),
    "a member of packer/model/spec.h has no row in its table above");

/// A part of a spec, which has fields itself.
template <class T>
concept SpecPart = requires(const T* part) {
  fields_of(part);
};

/// Calls visit(field, value, default) for every field of a part, in the order of its table.
template <SpecPart Part, class Visit>
void each_field(Part& part, Visit&& visit) {
  using Plain = std::remove_const_t<Part>;
  static const Plain kDefaults{};
  const auto one = [&](const auto& field) {
    if (field.key == nullptr) {
      if constexpr (SpecPart<std::remove_cvref_t<decltype(part.*field.member)>>) {
        each_field(part.*field.member, visit);
      }
    } else {
      visit(field, part.*field.member, kDefaults.*field.member);
    }
  };
  std::apply([&](const auto&... fields) { (one(fields), ...); },
             fields_of(static_cast<const Plain*>(nullptr)));
}

inline constexpr std::array<EnumNames<RopeLayout>, 3> kRopeLayouts{
    {{RopeLayout::none, "none"},
     {RopeLayout::half_split, "half-split"},
     {RopeLayout::interleaved, "interleaved"}}};
inline constexpr std::array<EnumNames<RouterNorm>, 2> kRouterNorms{
    {{RouterNorm::chosen, "chosen"}, {RouterNorm::all, "all"}}};
inline constexpr std::array<EnumNames<HeadNorm>, 3> kHeadNorms{
    {{HeadNorm::none, "none"}, {HeadNorm::plain, "plain"}, {HeadNorm::weighted, "weighted"}}};
inline constexpr std::array<EnumNames<RopeScaling>, 3> kRopeScalings{
    {{RopeScaling::none, "none"},
     {RopeScaling::linear, "linear"},
     {RopeScaling::llama3, "llama3"}}};
inline constexpr std::array<EnumNames<Residual>, 3> kResiduals{
    {{Residual::serial, "serial"},
     {Residual::parallel, "parallel"},
     {Residual::parallel_one_norm, "parallel-one-norm"}}};
inline constexpr std::array<EnumNames<NormKind>, 2> kNormKinds{
    {{NormKind::rms, "rms"}, {NormKind::layer, "layer"}}};
inline constexpr std::array<EnumNames<Activation>, 6> kActivations{
    {{Activation::silu, "silu"},
     {Activation::relu2, "relu2"},
     {Activation::leaky_relu2, "leaky-relu2"},
     {Activation::relu, "relu"},
     {Activation::gelu, "gelu"},
     {Activation::gelu_tanh, "gelu-tanh"}}};
constexpr const auto& names_of(HeadNorm) {
  return kHeadNorms;
}
constexpr const auto& names_of(RopeLayout) {
  return kRopeLayouts;
}
constexpr const auto& names_of(RopeScaling) {
  return kRopeScalings;
}
constexpr const auto& names_of(Residual) {
  return kResiduals;
}
constexpr const auto& names_of(NormKind) {
  return kNormKinds;
}
constexpr const auto& names_of(RouterNorm) {
  return kRouterNorms;
}
constexpr const auto& names_of(Activation) {
  return kActivations;
}

}  // namespace sb3lm
