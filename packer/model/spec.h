// What a language model is, by composition: every model that we read is one of these, none has a
// special case by name.
#pragma once

#include <string>
#include <vector>

namespace sb3lm {

enum class RopeLayout {
  none,
  half_split,   // pairs (j, j + dims/2): Llama as Hugging Face stores it, MLX
  interleaved,  // pairs (2j, 2j + 1): llama2.c
};

/// Rotary position embedding of the first `dims` elements of each head. Pair j at position p is
/// turned by p * base^(-2j/dims), counter-clockwise for sign +1:
///   (a, b) -> (a cos - b sin, a sin + b cos).
struct RopeSpec {
  RopeLayout layout = RopeLayout::none;
  double base = 10000;
  int dims = 0;
  int sign = 1;
  bool operator==(const RopeSpec&) const = default;
};

/// Causal grouped-query attention: query head h reads KV head h / (query_heads / kv_heads); scores
/// are divided by sqrt(head_size). With biases, each is added to q, k and v before rotation. With a
/// window, a token sees the last `window` positions only, its own among them.
struct AttentionSpec {
  int query_heads = 0;
  int kv_heads = 0;
  int head_size = 0;
  RopeSpec rope;
  bool qkv_bias = false;
  int window = 0;  // 0: all positions
  bool operator==(const AttentionSpec&) const = default;
};

/// How a mixture weights its chosen experts.
enum class RouterNorm {
  chosen,  // softmax over the chosen logits only (equals softmax over all, renormalised)
  all,     // softmax over all logits, not renormalised
};

/// What bends the hidden numbers of a feed-forward.
enum class Activation {
  silu,   // x / (1 + e^-x)
  relu2,  // max(x, 0)^2
};

/// down(f(gate x) * up x), or down(f(up x)) where it is not gated; SwiGLU is the first with f =
/// silu. One dense block, or a mixture of `routed_experts` of which `top_k` run per token, plus
/// `shared_experts` (0 or 1) that always runs, with weight 1 or, where it is gated, 1 / (1 +
/// exp(-shared_router x)). All experts of a layer have the same form.
struct FeedForwardSpec {
  int hidden = 0;          // of the dense block, or of each routed expert
  int routed_experts = 0;  // 0: dense
  int top_k = 0;
  int shared_experts = 0;
  int shared_hidden = 0;
  bool shared_gated = false;
  bool gated = true;
  Activation activation = Activation::silu;
  RouterNorm router_norm = RouterNorm::chosen;
  bool is_mixture() const { return routed_experts > 0; }
  bool operator==(const FeedForwardSpec&) const = default;
};

struct LayerSpec {
  int id = 0;  // the number that the checkpoint's names use
  AttentionSpec attention;
  FeedForwardSpec feed_forward;
  bool operator==(const LayerSpec&) const = default;
};

/// Pre-norm decoder: x += attention(norm(x)); x += feed_forward(norm(x)) for every pass; then the
/// final norm and the head. Norms are RMSNorm with weight: x / sqrt(mean(x^2) + eps) * w. With a
/// cap, logits become cap * tanh(logits / cap).
struct ModelSpec {
  std::string family;  // for people: "ssmoelm", "llama2.c"
  int width = 0;
  int vocabulary = 0;
  int context = 0;  // positions that the model was trained for
  double norm_eps = 1e-5;
  bool tied_head = true;
  double logit_cap = 0;           // 0: none
  std::vector<LayerSpec> layers;  // stored once each
  std::vector<int> passes;  // indices into `layers`, in running order; each has its own KV cache

  int kv_width(int layer) const {
    const AttentionSpec& a = layers[static_cast<std::size_t>(layer)].attention;
    return a.kv_heads * a.head_size;
  }
  bool operator==(const ModelSpec&) const = default;

  /// Throws bad_input that names the contradictory field; `file` goes in front.
  void validate(const std::string& file) const;
};

}  // namespace sb3lm
