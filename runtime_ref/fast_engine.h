// The fast engine: runs a model's steps (packer/model/steps.h) in floats, on weights that stay
// packed as they are in the file, many tokens at a time where they are known (prompts, texts to be
// judged). It is for run, eval and chat; the verification engine (engine.h) stays the oracle.
// runtime_ref/fast/ has a file for each operation.
//
// How near it is: activations before each packed matrix, keys and values are rounded to 16 bits,
// everything else to floats. kFastTolerance is what that may add up to in the logits. Its
// numbers depend neither on the number of threads nor on how tokens are split over calls of run.
#pragma once

#include <span>
#include <vector>

#include "model/packed.h"
#include "runtime_ref/decoder.h"
#include "runtime_ref/fast/binder.h"

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
  /// missing or has another shape than the spec says, unsupported for an operation that
  /// fast::op_rows() lacks and for more columns than the kernels can sum.
  explicit FastEngine(const PackedModel& model, const FastOptions& options = {});
  explicit FastEngine(PackedModel&&, const FastOptions& = {}) = delete;

  void reset() override {
    position_ = 0;
    before_ = {-1, -1};
  }
  void run(std::span<const int> tokens, std::size_t wanted, const OnLogits& take) override;
  std::span<const double> step(int token) override;

  int position() const override { return static_cast<int>(position_); }
  int context() const override { return context_; }
  int vocabulary() const override { return vocabulary_; }

 private:
  /// All but the end, for which the last `wanted` tokens are left ready.
  fast::Batch run_body(std::span<const int> tokens, std::size_t wanted);
  /// Leaves the logits of one of them in logits_.
  void run_end(fast::Batch batch, std::size_t token);

  int context_, vocabulary_;
  std::size_t position_ = 0;
  std::array<int, 2> before_ = {-1, -1};
  ForwardSteps forward_;
  fast::Shared shared_;
  fast::BoundSteps steps_;
  std::vector<double> logits_;
};

}  // namespace sb3lm
