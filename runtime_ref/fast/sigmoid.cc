#include "runtime_ref/fast/each_token.h"
#include "runtime_ref/ops.h"

namespace sb3lm::fast {

std::unique_ptr<BoundStep> bind_sigmoid(const Place& place, Binder& binder) {
  const Step& step = *place.step;
  Vectors& vectors = binder.shared.vectors;
  return each_token([&step, &vectors](const Batch&, std::size_t t) {
    const float* x = vectors.row(step.in[0], t);
    float* out = vectors.row(step.out, t);
    for (int i = 0; i < step.size; ++i) out[i] = static_cast<float>(ops::sigmoid(x[i]));
  });
}

}  // namespace sb3lm::fast
