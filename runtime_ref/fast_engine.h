// The fast engine: the forward pass of packer/model/spec.h in floats, on weights that stay packed
// as they are in the file, many tokens at a time where they are known (prompts, texts to be
// judged). It is for run, eval and chat; the verification engine (engine.h) stays the oracle.
//
// How near it is: activations before each packed matrix, keys and values are rounded to 16 bits,
// everything else to floats. kFastTolerance is what that may add up to in the logits. Its
// numbers depend neither on the number of threads nor on how tokens are split over calls of run.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "model/packed.h"
#include "runtime_ref/decoder.h"
#include "runtime_ref/fast_inputs.h"
#include "runtime_ref/fixed_cache.h"
#include "runtime_ref/workers.h"

namespace sb3lm {

/// Largest |difference| of a logit from the verification engine's, relative to the largest |logit|
/// of the position, unless a mixture was so near to another choice of experts that rounding took
/// it.
inline constexpr double kFastTolerance = 2e-3;

struct FastOptions {
  int context = 0;                         // 0: the model's
  int threads = 1;                         // 0: one per processor
  const fast::Kernels* kernels = nullptr;  // null: the best for this processor
};

class FastEngine final : public Decoder {
 public:
  /// Reads the weights where they are: `model` must outlive the engine. Throws bug if a tensor is
  /// missing or has another shape than the spec says, unsupported for more columns than the kernels
  /// can sum.
  explicit FastEngine(const PackedModel& model, const FastOptions& options = {});
  explicit FastEngine(PackedModel&&, const FastOptions& = {}) = delete;

  void reset() override { position_ = 0; }
  void run(std::span<const int> tokens, std::size_t wanted, const OnLogits& take) override;
  std::span<const double> step(int token) override;

  int position() const override { return static_cast<int>(position_); }
  int context() const override { return context_; }
  int vocabulary() const override { return spec_.vocabulary; }

 private:
  using Matrix = const PackedMatrix*;
  struct Swiglu {
    Matrix gate, up, down;
    std::size_t hidden;
  };
  struct Layer {
    std::vector<float> attention_norm, ffn_norm;
    Matrix q, k, v, o;
    Matrix router;                              // null for a dense block
    Matrix shared_router;                       // null without a gated shared expert
    std::vector<float> q_bias, k_bias, v_bias;  // empty without
    std::vector<Swiglu> blocks;  // routed experts, then the shared one; or the dense block
    std::vector<double> turns;   // radians of each rotary pair per position
  };
  /// y[i * y_stride + r] = row r of w times vector which[i] of `from`.
  struct Product {
    Matrix w;
    const fast::Inputs* from;
    std::span<const std::size_t> which;
    float* y;  // for which[0]
    std::size_t y_stride;
  };
  /// Tokens of a batch that go through one block of a layer; slot i of the working vectors belongs
  /// to the i-th of them, counted from `slot`.
  struct Share {
    const Swiglu* block;
    std::vector<std::size_t> tokens;
    std::vector<float> weights;
    std::size_t slot;
  };

  struct Rotation {
    std::vector<float> cosine, sine;
  };

  /// Null, and empty, where a model of this spec has no such tensor.
  Matrix matrix(const TensorKey& key) const;
  std::vector<float> vector_of(const TensorKey& key) const;
  Layer bind(int layer) const;
  std::vector<Swiglu> bind_blocks(int layer) const;
  void measure(const LayerSpec& spec);
  void make_room(std::size_t tokens);

  /// Numbers of the batch's tokens.
  using Tokens = std::span<const std::size_t>;

  /// The last `wanted` tokens get as far as the head; of the others the last pass needs only the
  /// keys and values.
  void run_batch(std::span<const int> tokens, std::size_t wanted);
  void run_pass(std::size_t pass, Tokens all, Tokens wanted);
  void attend(std::size_t pass, Tokens all, Tokens wanted);
  void store(std::size_t pass, Tokens all);
  void attend_heads(std::size_t pass, Tokens wanted);
  void turn_to(const std::vector<double>& turns, std::size_t count);
  void feed_forward(const LayerSpec& spec, const Layer& layer, Tokens tokens);
  std::vector<Share> shares(const LayerSpec& spec, const Layer& layer, Tokens tokens);
  void route(const LayerSpec& spec, const Layer& layer, Tokens tokens, std::vector<Share>& all);
  std::vector<float> shared_weights(const Layer& layer, Tokens tokens);
  void norm(const std::vector<float>& weights, Tokens tokens);
  std::span<const float> head(std::size_t token);
  void multiply(std::span<const Product> products);

  const PackedModel& model_;
  const ModelSpec& spec_;
  const fast::Kernels& kernels_;
  int context_;
  std::size_t position_ = 0;
  Workers workers_;
  std::vector<Layer> layers_;
  std::vector<fast::FixedCache> caches_;  // one per pass
  Matrix embedding_, head_;
  std::vector<float> final_norm_;

  // The widest layer's.
  std::size_t q_width_ = 0, kv_width_ = 0, mixed_width_ = 0, inner_width_ = 0, slots_per_token_ = 0;

  // Of the tokens that run together, room_ at most.
  std::size_t room_ = 0;
  std::vector<std::size_t> indices_;  // 0, 1, 2, ...
  std::vector<float> hidden_;         // [tokens][width]
  std::vector<Rotation> rotations_;   // of each token, for layers with turns rotations_of_
  const std::vector<double>* rotations_of_ = nullptr;
  std::vector<float> q_, k_, v_;  // [tokens][q_width_], [tokens][kv_width_]
  std::vector<float> added_;      // [slots][width]
  std::vector<float> gate_, up_;  // [slots][inner_width_]
  std::optional<fast::Inputs> normed_, attended_, inner_;
  std::vector<std::vector<float>> scratch_;  // per worker: scores and mixed values of some heads
  std::vector<float> head_out_;              // [vocabulary]
  std::vector<double> logits_;
};

}  // namespace sb3lm
