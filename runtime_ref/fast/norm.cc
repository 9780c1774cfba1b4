#include "runtime_ref/fast/each_token.h"

namespace sb3lm::fast {

std::unique_ptr<BoundStep> bind_norm(const Place& place, Binder& binder) {
  const Step& step = *place.step;
  const auto& with = std::get<NormWith>(step.with);
  const std::size_t size = size_of(step.size / with.heads);
  std::vector<float> weights(size, 1.0F);
  if (!step.tensors.empty()) weights = binder.vector(step.tensors[0]);
  for (float& weight : weights) weight *= static_cast<float>(with.factor);
  Shared& shared = binder.shared;
  return each_token([&step, &with, &shared, weights](const Batch&, std::size_t t) {
    const float* in = shared.vectors.row(step.in[0], t);
    float* out = shared.vectors.row(step.out, t);
    for (int at = 0; at < step.size; at += step.size / with.heads) {
      shared.kernels.rms_norm(in + at, weights.data(), weights.size(), static_cast<float>(with.eps),
                              out + at);
    }
  });
}

}  // namespace sb3lm::fast
