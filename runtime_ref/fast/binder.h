// Binds the steps of a model to its weights, and to what all of them share.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "model/packed.h"
#include "runtime_ref/fast/op.h"
#include "runtime_ref/fast/rotations.h"
#include "runtime_ref/fast/vectors.h"
#include "runtime_ref/fixed_cache.h"
#include "runtime_ref/workers.h"

namespace sb3lm::fast {

/// What the steps of one engine have in common.
struct Shared {
  Shared(const ForwardSteps& forward, const Kernels& kernels, int threads)
      : kernels(kernels), workers(threads), vectors(forward), scratch(workers.count()) {}

  const Kernels& kernels;
  Workers workers;
  Vectors vectors;
  std::map<TensorKey, std::vector<float>> weights;  // of norms and biases
  std::map<StateId, FixedCache> caches;
  std::vector<std::unique_ptr<Rotations>> rotations;
  std::vector<std::vector<float>> scratch;  // per worker, for the length of a step
};

struct Bound {
  std::unique_ptr<BoundStep> step;
  bool for_all = false;  // the batch's tokens, not only the wanted ones
};
struct BoundSteps {
  std::vector<Bound> body;  // for many tokens at a time
  std::vector<Bound> end;   // for one wanted token after the other
};

class Binder {
 public:
  /// All of them outlive what is bound.
  Binder(const PackedModel& model, const ForwardSteps& forward, Shared& shared)
      : shared(shared), model_(model), forward_(forward) {}

  /// Throws unsupported for an op that the table lacks and for more columns than the kernels can
  /// sum, bug if a tensor is missing or has another shape than the spec says.
  BoundSteps bind(std::span<const OpRow> table = op_rows());

  const PackedMatrix& matrix(const TensorKey& key) const;
  /// One that multiplies the vectors of a slot.
  const PackedMatrix& reader(const TensorKey& key, SlotId slot);
  const std::vector<float>& vector(const TensorKey& key);
  FixedCache& cache(StateId state);
  Rotations& rotations(const RopeSpec& rope);

  Shared& shared;

 private:
  const PackedModel& model_;
  const ForwardSteps& forward_;
};

/// The steps of a part, of which `needed` says what later tokens need, as they run: a matrix whose
/// vector an earlier one reads runs along with that, unless a step between them touches its output.
std::vector<Place> places_of(const Part& part, const std::vector<bool>& needed);
std::vector<Place> places_of(Part&& part, const std::vector<bool>& needed) = delete;

}  // namespace sb3lm::fast
