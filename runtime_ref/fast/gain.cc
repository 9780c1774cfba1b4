#include "runtime_ref/fast/each_token.h"

namespace sb3lm::fast {

std::unique_ptr<BoundStep> bind_gain(const Place& place, Binder& binder) {
  const Step& step = *place.step;
  const std::vector<float>& gains = binder.vector(step.tensors[0]);
  Vectors& vectors = binder.shared.vectors;
  return each_token([&step, &gains, &vectors](const Batch&, std::size_t t) {
    const std::size_t size = size_of(step.size) / gains.size();
    float* out = vectors.row(step.out, t);
    for (std::size_t i = 0; i < size_of(step.size); ++i) out[i] *= gains[i / size];
  });
}

}  // namespace sb3lm::fast
