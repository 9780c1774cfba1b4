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

/// How the frequencies of a model that was trained for few positions are stretched over more.
enum class RopeScaling {
  none,
  linear,  // all are divided by the factor
  llama3,  // low ones are, high ones are not, and between them it is in proportion
};

/// Rotary position embedding of the first `dims` elements of each head. Pair j at position p is
/// turned by p * f, f = base^(-2j/dims), counter-clockwise for sign +1:
///   (a, b) -> (a cos - b sin, a sin + b cos).
/// Scaled linearly, f becomes f / factor; as Llama 3 does it, f (m + (1 - m) / factor), with
/// m = (original_positions f / (2 pi) - low) / (high - low), but 0 at least and 1 at most.
struct RopeSpec {
  RopeLayout layout = RopeLayout::none;
  double base = 10000;
  int dims = 0;
  int sign = 1;
  RopeScaling scaling = RopeScaling::none;
  double scaling_factor = 1;
  double low_frequency = 1, high_frequency = 4;  // turns within the original positions
  int original_positions = 0;
  bool operator==(const RopeSpec&) const = default;
};

/// Whether each head of q and k is normalised, before it is rotated.
enum class HeadNorm {
  none,
  plain,     // RMSNorm without weight
  weighted,  // with one weight for all heads of q, and one for those of k
};

/// Causal grouped-query attention: query head h reads KV head h / (query_heads / kv_heads); scores
/// are multiplied by score_scale and, with a cap, become cap * tanh(score / cap). With biases, each
/// is added to q, k and v before rotation, and to what o gives. With a
/// window, a token sees the last `window` positions only, its own among them. With a value
/// embedding, the token's own row of it joins v, times a factor of the layer. With a query gain,
/// each head of q is multiplied by a number after rotation. Exclusive attention (arXiv 2603.09078)
/// takes from each head's result what lies along its token's own value: y - (y . n) n with
/// n = v / |v|.
struct AttentionSpec {
  int query_heads = 0;
  int kv_heads = 0;
  int head_size = 0;
  RopeSpec rope;
  bool qkv_bias = false;
  bool o_bias = false;
  int window = 0;  // 0: all positions
  HeadNorm head_norm = HeadNorm::none;
  bool query_gain = false;
  bool value_embedding = false;
  bool exclusive = false;
  double score_scale = 0;  // 0: 1 / sqrt(head_size)
  double score_cap = 0;    // 0: none
  bool operator==(const AttentionSpec&) const = default;
};

/// How a mixture weights its chosen experts.
enum class RouterNorm {
  chosen,  // softmax over the chosen logits only (equals softmax over all, renormalised)
  all,     // softmax over all logits, not renormalised
};

/// What bends the hidden numbers of a feed-forward.
enum class Activation {
  silu,         // x / (1 + e^-x)
  relu2,        // max(x, 0)^2
  leaky_relu2,  // x^2, or (x/2)^2 below 0
  relu,         // max(x, 0)
  gelu,         // x (1 + erf(x / sqrt 2)) / 2
  gelu_tanh,    // x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2
};

/// down(f(gate x) * up x), or down(f(up x)) where it is not gated; SwiGLU is the first with f =
/// silu. With biases, each is added to what up and down give. One dense block, or a mixture of
/// `routed_experts` of which `top_k` run per token, plus `shared_experts` (0 or 1) that always
/// runs, with weight 1 or, where it is gated, 1 / (1 + exp(-shared_router x)). All experts of a
/// layer have the same form.
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
  bool bias = false;
  bool is_mixture() const { return routed_experts > 0; }
  bool operator==(const FeedForwardSpec&) const = default;
};

/// How a layer's halves join the stream.
enum class Residual {
  serial,             // x += attention(norm x); x += feed_forward(norm x)
  parallel,           // x += attention(norm x) + feed_forward(other norm x)
  parallel_one_norm,  // x += attention(n) + feed_forward(n), n = norm x
};

/// With a start mix, x first becomes stream_mix * x + start_mix * (what the first layer got). After
/// norms are RMSNorms of what each half gives. With branch scales, what is added is multiplied by a
/// number for each item, last. What norms before halves give is multiplied by norm_factor, before
/// their bias.
struct LayerSpec {
  int id = 0;  // the number that the checkpoint's names use
  AttentionSpec attention;
  FeedForwardSpec feed_forward;
  Residual residual = Residual::serial;
  bool after_norms = false;
  bool start_mix = false;
  bool branch_scales = false;
  double norm_factor = 1;
  bool operator==(const LayerSpec&) const = default;
};

/// The norms before a layer's halves and before the head.
enum class NormKind {
  rms,    // x / sqrt(mean(x^2) + eps) * w
  layer,  // (x - mean(x)) / sqrt(variance(x) + eps) * w + b
};

/// Pre-norm decoder: a token's embedding goes through every pass, the final norm and the head.
/// Where norms have no weights, they have neither w nor b. With a bias, the head adds it; with a
/// cap, logits become cap * tanh(logits / cap). Before the passes, in this order: the embedding is
/// multiplied by embedding_scale; with learned positions, the position's row joins it; with
/// bigrams, a
/// row joins the embedding, scaled and brought to its width, that a hash of the token and the one
/// before chooses (bigram_row); with a start norm, x = norm(x) without weights; with smear, x = (1
/// - g) x + g (the same of the token before), where g = 1 / (1 + e^-gate) by item and the first
/// token has zeros before it. With skips, the first half of the passes leave their results for the
/// second half: pass half + j begins with x += skip * (what pass half - 1 - j gave), half = passes
/// / 2.
struct ModelSpec {
  std::string family;  // for people: "ssmoelm", "llama2.c"
  int width = 0;
  int vocabulary = 0;
  int context = 0;  // positions that the model was trained for
  double norm_eps = 1e-5;
  NormKind norm = NormKind::rms;
  bool tied_head = true;
  bool head_bias = false;
  double embedding_scale = 1;
  int learned_positions = 0;  // 0: none
  double logit_cap = 0;       // 0: none
  bool norm_weights = true;
  int bigram_buckets = 0;  // 0: none
  int bigram_width = 0;
  bool start_norm = false;
  bool smear = false;
  bool skips = false;
  int value_width = 0;            // of the value embedding's rows; 0: none
  std::vector<LayerSpec> layers;  // stored once each
  std::vector<int> passes;  // indices into `layers`, in running order; each has its own KV cache

  int kv_width(int layer) const {
    const AttentionSpec& a = layers[static_cast<std::size_t>(layer)].attention;
    return a.kv_heads * a.head_size;
  }
  /// The width of v where it has a value embedding, 0 without.
  int value_size() const;
  /// The pass whose result joins before this one, -1 for none.
  int skip_before(int pass) const;
  /// Whether a pass of the layer begins with another one's result.
  bool takes_skip(int layer) const;
  bool operator==(const ModelSpec&) const = default;

  /// Throws bad_input that names the contradictory field; `file` goes in front.
  void validate(const std::string& file) const;
  /// Throws usage if learned positions end before a context does that somebody asks for.
  void check_context(int context) const;
};

/// Row of a table with `buckets` rows for a token and the one before, -1 if there is none:
/// buckets - 1 at the beginning, else ((36313 token) xor (27191 before)) mod (buckets - 1).
int bigram_row(int buckets, int token, int before);

}  // namespace sb3lm
