#include "runtime_ref/fast/each_token.h"

namespace sb3lm::fast {

std::unique_ptr<BoundStep> bind_mix(const Place& place, Binder& binder) {
  const Step& step = *place.step;
  const std::vector<float>&own = binder.vector(step.tensors[0]),
        &other = binder.vector(step.tensors[1]);
  Vectors& vectors = binder.shared.vectors;
  return each_token([&step, &own, &other, &vectors](const Batch&, std::size_t t) {
    const float* in = vectors.row(step.in[0], t);
    float* out = vectors.row(step.out, t);
    for (std::size_t i = 0; i < own.size(); ++i) out[i] = out[i] * own[i] + in[i] * other[i];
  });
}

}  // namespace sb3lm::fast
