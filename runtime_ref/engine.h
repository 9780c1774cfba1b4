// The verification engine: the forward pass that packer/model/spec.h describes, on dequantised
// weights, in doubles, token by token. It is the oracle for the blocks, so it shares nothing with
// the code that makes them, and it is written to be read rather than to be fast.
#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "model/model.h"
#include "runtime_ref/cache.h"
#include "runtime_ref/decoder.h"
#include "runtime_ref/ops.h"

namespace sb3lm {

/// Sees what flows through the matrices.
class ActivationObserver {
 public:
  virtual ~ActivationObserver() = default;
  /// A matrix multiplies `input`.
  virtual void multiplied(const Tensor& matrix, std::span<const double> input) = 0;
};

class Engine final : public Decoder {
 public:
  /// An expert that a token has chosen, or the one dense block.
  struct Choice {
    int expert = 0;             // its index; kShared: the shared one
    double share = 1;           // its weight in the sum
    std::vector<double> inner;  // what its down reads
  };
  static constexpr int kShared = -1;

  /// A token on its way through the passes.
  struct Stream {
    int position = 0;
    std::vector<double> hidden;             // the residual stream, [width]
    std::vector<double> start, value;       // what passes began with, the value embedding
    std::vector<std::vector<double>> left;  // by each pass, where later ones ask for it
    std::vector<double> normed;             // what q, k and v, and later gate and up, read
    std::vector<double> mixed;              // what o reads
    std::vector<Choice> chosen;             // routed experts by index, then the shared one
  };

  /// A pass, cut where one group of matrices has what it reads: q, k and v have it after norm, o
  /// after attend, gates and ups after add_attention, downs after bend.
  enum class Part { norm, attend, add_attention, bend, add_feed_forward };
  static constexpr std::array kParts{Part::norm, Part::attend, Part::add_attention, Part::bend,
                                     Part::add_feed_forward};

  /// Reads the weights where they are: `model` must outlive the engine. `context` 0 means the
  /// model's. Throws bug if a tensor is missing or has another shape than the spec says.
  explicit Engine(const Model& model, int context = 0);
  explicit Engine(Model&&, int = 0) = delete;

  void reset() override;
  void run(std::span<const int> tokens, std::size_t wanted, const OnLogits& take) override;
  std::span<const double> step(int token) override;
  /// The same without the final norm and the head: the cheap way through a prompt.
  void step_without_logits(int token);

  /// A step in parts, for what looks at one pass of many tokens: the next token before its first
  /// pass; one pass of it, for tokens in their order; its logits after the last one.
  Stream begin(int token);
  void run_pass(std::size_t pass, Stream& stream);
  void run_part(std::size_t pass, Part part, Stream& stream);
  std::vector<double> head_input(const Stream& stream) const;
  std::span<const double> logits(const Stream& stream);

  int position() const override { return position_; }
  int context() const override { return context_; }
  int vocabulary() const override { return spec_.vocabulary; }
  const Model& model() const { return model_; }
  /// Of the caches and working vectors; the weights belong to the model.
  std::size_t bytes() const;

  /// Null: nobody looks. The observer must outlive the engine's next steps.
  void observe(ActivationObserver* observer) { observer_ = observer; }

  /// How near a mixture came to choosing another expert: the smallest ops::choice_margin of the
  /// router over all passes of the last step (infinity without mixtures), and since reset.
  double router_margin() const { return step_margin_; }
  double smallest_router_margin() const { return smallest_margin_; }

 private:
  using Vector = std::vector<double>;
  struct Norm {
    const Tensor *weight, *bias;  // null without
  };
  struct Block {
    const Tensor *gate, *up, *down;  // gate: null without
    const Tensor *up_bias = nullptr, *down_bias = nullptr;
    Activation activation = Activation::silu;
  };
  struct Layer {
    const Tensor *q, *k, *v, *o;
    const Tensor *q_bias, *k_bias, *v_bias, *o_bias;  // null without biases
    Norm attention_norm, ffn_norm;
    const Tensor *q_norm, *k_norm, *attention_after_norm, *ffn_after_norm;  // null without
    const Tensor* router;         // null for a dense block
    const Tensor* shared_router;  // null where the shared expert has weight 1
    const Tensor *skip_scale, *stream_mix, *start_mix, *value_scale, *query_gain, *attention_scale,
        *ffn_scale;              // null without
    std::vector<Block> experts;  // routed ones by index; the block itself if dense
    std::vector<Block> shared;   // none or one
  };

  /// Null where a model of this spec has no such tensor.
  const Tensor* weights(Role role, int layer = -1, int expert = -1) const;
  Layer bind(int layer) const;

  Vector multiply(const Tensor& w, const Vector& x) const;
  /// With a bias, unless that is null.
  Vector multiply_and_add(const Tensor& w, const Tensor* bias, const Vector& x) const;

  Stream run_passes(int token);
  /// What the first pass gets.
  Vector embed(int token);
  Vector look_up(Role table, Role proj, int row) const;
  void join(std::size_t pass, const Layer& layer, Stream& stream) const;
  /// Of the model's kind, by the weights, if there are any, and the factor; then the bias.
  Vector norm(const Norm& by, double factor, const Vector& x) const;
  Vector rms_norm(const Tensor* w, const Vector& x) const;
  /// What half of a layer adds: its result by a norm, if it has one, and by the layer's numbers.
  Vector branch(const LayerSpec& spec, const Tensor* norm, const Tensor* numbers, Vector x) const;
  /// By the layer's numbers, one for each item, unless they are null.
  static Vector scaled(Vector x, const Tensor* numbers);
  void attend(std::size_t pass, Stream& stream);
  void add_attention(const LayerSpec& spec, const Layer& layer, Stream& stream) const;
  void add_feed_forward(const LayerSpec& spec, const Layer& layer, Stream& stream) const;
  static const Block& block_of(const Layer& layer, const Choice& choice);
  /// f(gate x) * up x, or f(up x).
  Vector bend(const Block& block, const Vector& x) const;
  std::vector<Choice> route(const FeedForwardSpec& spec, const Layer& layer, const Vector& x);

  const Model& model_;
  const ModelSpec& spec_;
  int context_;
  int position_ = 0;
  double step_margin_ = std::numeric_limits<double>::infinity();
  double smallest_margin_ = std::numeric_limits<double>::infinity();
  std::vector<Layer> layers_;
  std::vector<KvCache> caches_;  // one per pass
  ActivationObserver* observer_ = nullptr;
  const Tensor* embedding_;
  Norm final_norm_;
  const Tensor *head_, *head_bias_;
  int token_before_ = -1;
  Vector before_;  // what smear saw last
  Vector logits_;  // [vocabulary]
};

/// How near the greedy choice is to another one: (largest - second) / max |logit|; infinity for a
/// vocabulary of one.
double top1_margin(std::span<const double> logits);

}  // namespace sb3lm
