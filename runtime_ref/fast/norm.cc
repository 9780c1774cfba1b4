#include "runtime_ref/fast/each_token.h"

namespace sb3lm::fast {

std::unique_ptr<BoundStep> bind_norm(const Place& place, Binder& binder) {
  const Step& step = *place.step;
  const std::vector<float>& weights = binder.vector(step.tensors[0]);
  const auto eps = static_cast<float>(std::get<NormWith>(step.with).eps);
  Shared& shared = binder.shared;
  return each_token([&step, &weights, &shared, eps](const Batch&, std::size_t t) {
    shared.kernels.rms_norm(shared.vectors.row(step.in[0], t), weights.data(), weights.size(), eps,
                            shared.vectors.row(step.out, t));
  });
}

}  // namespace sb3lm::fast
