#include "model/spec.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace sb3lm {
namespace {

// Far above any model that fits a Scratch project, low enough that sizes computed from them fit in
// 64 bits and lists made of them fit in memory.
constexpr int kMaxExtent = 1 << 20;
constexpr int kMaxLayers = 512;
constexpr int kMaxPasses = 2048;
constexpr int kMaxHeads = 1024;
constexpr int kMaxExperts = 1024;
constexpr double kMaxRopeBase = 1e30;

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

void check_rope(const Checker& check, const RopeSpec& rope, int head_size) {
  if (rope.layout == RopeLayout::none) return;
  check.require(rope.dims > 0 && rope.dims <= head_size && rope.dims % 2 == 0,
                "rotated dims {} must be even and at most the head size {}", rope.dims, head_size);
  check.require(rope.base > 1 && rope.base <= kMaxRopeBase,
                "RoPE base {} must be above 1 and at most {}", rope.base, kMaxRopeBase);
  check.require(rope.sign == 1 || rope.sign == -1, "RoPE sign {} must be 1 or -1", rope.sign);
}

void check_attention(const Checker& check, const AttentionSpec& attention) {
  check.within("query heads", attention.query_heads, 1, kMaxHeads);
  check.within("KV heads", attention.kv_heads, 1, kMaxHeads);
  check.within("head size", attention.head_size, 1, 4096);
  check.require(attention.query_heads % attention.kv_heads == 0,
                "{} query heads cannot share {} KV heads evenly", attention.query_heads,
                attention.kv_heads);
  check_rope(check, attention.rope, attention.head_size);
}

void check_feed_forward(const Checker& check, const FeedForwardSpec& ffn) {
  check.within("hidden width", ffn.hidden, 1, kMaxExtent);
  check.within("routed experts", ffn.routed_experts, 0, kMaxExperts);
  if (!ffn.is_mixture()) {
    check.require(ffn.shared_experts == 0 && ffn.top_k == 0,
                  "a dense layer has neither shared experts nor a top-k");
    check.require(!ffn.shared_gated, "a dense layer has no gated shared expert");
    return;
  }
  check.require(ffn.top_k >= 1 && ffn.top_k <= ffn.routed_experts,
                "top-k {} is outside 1..{} (the routed experts)", ffn.top_k, ffn.routed_experts);
  check.within("shared experts", ffn.shared_experts, 0, 1);
  check.require(!ffn.shared_gated || ffn.shared_experts == 1,
                "a gate for the shared expert without a shared expert");
  if (ffn.shared_experts == 1) {
    check.within("hidden width of the shared expert", ffn.shared_hidden, 1, kMaxExtent);
  }
}

}  // namespace

void ModelSpec::validate(const std::string& file) const {
  Checker check{file, ""};
  check.within("width", width, 1, kMaxExtent);
  check.within("vocabulary", vocabulary, 1, kMaxExtent);
  check.within("context", context, 1, kMaxExtent);
  check.require(std::isfinite(norm_eps) && norm_eps >= 0 && norm_eps < 1,
                "norm eps {} is outside 0..1", norm_eps);
  check.within("number of layers", static_cast<int>(layers.size()), 1, kMaxLayers);
  check.within("number of passes", static_cast<int>(passes.size()), 1, kMaxPasses);
  std::vector<bool> used(layers.size(), false);
  for (const int pass : passes) {
    check.within("layer index of a pass", pass, 0, static_cast<int>(layers.size()) - 1);
    used[static_cast<std::size_t>(pass)] = true;
  }
  for (std::size_t i = 0; i < layers.size(); ++i) {
    check.where = fmt::format("layer {}: ", i);
    check.require(used[i], "no pass runs it");
    check_attention(check, layers[i].attention);
    check_feed_forward(check, layers[i].feed_forward);
  }
}

}  // namespace sb3lm
