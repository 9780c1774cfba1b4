#include "model/spec.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "base/error.h"
#include "model/spec_fields.h"

namespace sb3lm {
namespace {

struct Checker {
  const std::string& file;
  std::string where;  // "" or "layer 3: "

  template <class... Args>
  void require(bool holds, fmt::format_string<Args...> format, Args&&... args) const {
    if (holds) return;
    fail(Fault::bad_input, "{}: {}{}", file, where,
         fmt::format(format, std::forward<Args>(args)...));
  }

  void within(const char* field, int value, int low, int high) const {
    require(value >= low && value <= high, "{} {} is outside {}..{}", field, value, low, high);
  }
};

template <class T>
bool is_within(const T& value, const Range& range) {
  return std::isfinite(static_cast<double>(value)) && value >= range.low && value <= range.high;
}

// Beyond it the hash of parameter-golf's programs leaves 32 bits, and is negative.
constexpr int kBigramVocabulary = 59138;

void check_start(const Checker& check, const ModelSpec& spec) {
  // The first token has zeros before it, which such a norm would make of no size at all.
  check.require(!spec.start_norm || !spec.smear || spec.norm_eps > 0,
                "a start norm and smear with norm eps 0");
  if (spec.bigram_buckets == 0) {
    check.require(spec.bigram_width == 0, "a width of bigrams without buckets");
    return;
  }
  check.require(spec.bigram_buckets >= 2 && spec.bigram_width > 0,
                "{} bigram buckets of width {}: there must be 2 of width 1 at least",
                spec.bigram_buckets, spec.bigram_width);
  check.require(spec.vocabulary <= kBigramVocabulary, "bigrams of a vocabulary over {}",
                kBigramVocabulary);
}

void check_values(const Checker& check, const ModelSpec& spec, int layer) {
  if (!spec.layers[static_cast<std::size_t>(layer)].attention.value_embedding) return;
  check.require(spec.value_width > 0, "a value embedding of width 0");
  check.require(spec.kv_width(layer) == spec.value_size(),
                "its values are {} wide, those of another layer with a value embedding {}",
                spec.kv_width(layer), spec.value_size());
}

/// Every number of a part against its range; how many items lists have.
template <SpecPart Part>
void check_ranges(const Checker& check, const Part& part) {
  each_field(part, [&](const auto& field, const auto& value, const auto&) {
    using T = std::remove_cvref_t<decltype(value)>;
    const auto within = [&](const auto& number) {
      check.require(is_within(number, field.range), "{} {} is outside {}..{}", field.words, number,
                    field.range.low, field.range.high);
    };
    if constexpr (SpecPart<T>) {
      check_ranges(check, value);
    } else if constexpr (std::is_same_v<T, int> || std::is_same_v<T, double>) {
      within(value);
    } else if constexpr (requires { value.begin()->id; } || std::is_same_v<T, std::vector<int>>) {
      within(value.size());
    }
  });
}

void check_rope(const Checker& check, const RopeSpec& rope, int head_size) {
  if (rope.layout == RopeLayout::none) return;
  check.require(rope.dims > 0 && rope.dims <= head_size && rope.dims % 2 == 0,
                "rotated dims {} must be even and at most the head size {}", rope.dims, head_size);
  check.require(rope.sign != 0, "RoPE sign 0 must be 1 or -1");
  if (rope.scaling != RopeScaling::llama3) return;
  check.require(rope.original_positions > 0, "RoPE scaling llama3 without original positions");
  check.require(rope.low_frequency < rope.high_frequency,
                "low frequency {} must be below the high frequency {}", rope.low_frequency,
                rope.high_frequency);
}

void check_feed_forward(const Checker& check, const FeedForwardSpec& ffn) {
  if (!ffn.is_mixture()) {
    check.require(ffn.shared_experts == 0 && ffn.top_k == 0,
                  "a dense layer has neither shared experts nor a top-k");
    check.require(!ffn.shared_gated, "a dense layer has no gated shared expert");
    return;
  }
  check.require(ffn.top_k >= 1 && ffn.top_k <= ffn.routed_experts,
                "top-k {} is outside 1..{} (the routed experts)", ffn.top_k, ffn.routed_experts);
  check.require(!ffn.bias, "biases of the feed-forward beside a mixture");
  check.require(!ffn.shared_gated || ffn.shared_experts == 1,
                "a gate for the shared expert without a shared expert");
  check.require(ffn.shared_experts == 0 || ffn.shared_hidden > 0,
                "hidden width of the shared expert 0 is outside 1..{}", limits::kExtent);
}

void check_layer(const Checker& check, const LayerSpec& layer) {
  check_ranges(check, layer);
  const AttentionSpec& attention = layer.attention;
  check.require(attention.query_heads % attention.kv_heads == 0,
                "{} query heads cannot share {} KV heads evenly", attention.query_heads,
                attention.kv_heads);
  check_rope(check, attention.rope, attention.head_size);
  check_feed_forward(check, layer.feed_forward);
  check.require(!layer.branch_scales || !layer.feed_forward.is_mixture(),
                "branch scales beside a mixture");
  check.require(!layer.after_norms || !layer.feed_forward.is_mixture(),
                "norms after halves beside a mixture");
}

}  // namespace

void ModelSpec::validate(const std::string& file) const {
  Checker check{file, ""};
  check_ranges(check, *this);
  check_start(check, *this);
  check.require(learned_positions == 0 || context <= learned_positions,
                "context {} is more than the {} learned positions", context, learned_positions);
  std::vector<bool> used(layers.size(), false);
  for (const int pass : passes) {
    check.within("layer index of a pass", pass, 0, static_cast<int>(layers.size()) - 1);
    used[static_cast<std::size_t>(pass)] = true;
  }
  for (std::size_t i = 0; i < layers.size(); ++i) {
    check.where = fmt::format("layer {}: ", i);
    check.require(used[i], "no pass runs it");
    check_layer(check, layers[i]);
    // What a half gives may be nothing but zeros, or what rounding has left of them.
    check.require(!layers[i].after_norms || norm_eps > 0, "norms after halves with norm eps 0");
    check_values(check, *this, static_cast<int>(i));
  }
}

void ModelSpec::check_context(int asked) const {
  if (learned_positions == 0 || asked <= learned_positions) return;
  fail(Fault::usage, "context {}: the model has learned {} positions", asked, learned_positions);
}

int ModelSpec::value_size() const {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (layers[i].attention.value_embedding) return kv_width(static_cast<int>(i));
  }
  return 0;
}

int ModelSpec::skip_before(int pass) const {
  const int half = static_cast<int>(passes.size()) / 2;
  return skips && pass >= half && pass < 2 * half ? 2 * half - 1 - pass : -1;
}

bool ModelSpec::takes_skip(int layer) const {
  for (std::size_t pass = 0; pass < passes.size(); ++pass) {
    if (passes[pass] == layer && skip_before(static_cast<int>(pass)) >= 0) return true;
  }
  return false;
}

int bigram_row(int buckets, int token, int before) {
  if (before < 0) return buckets - 1;
  return static_cast<int>((std::uint32_t{36313} * static_cast<std::uint32_t>(token) ^
                           std::uint32_t{27191} * static_cast<std::uint32_t>(before)) %
                          static_cast<std::uint32_t>(buckets - 1));
}

}  // namespace sb3lm
