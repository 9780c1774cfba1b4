#include <cmath>

#include "runtime_ref/fast/each_token.h"

namespace sb3lm::fast {

std::unique_ptr<BoundStep> bind_smear(const Place& place, Binder& binder) {
  const Step& step = *place.step;
  std::vector<float> shares = binder.vector(step.tensors[0]);
  for (float& share : shares) share = 1 / (1 + std::exp(-share));
  Vectors& vectors = binder.shared.vectors;
  return each_token([&step, shares, &vectors](const Batch&, std::size_t t) {
    const float* in = vectors.row(step.in[0], t);
    float* out = vectors.row(step.out, t);
    for (std::size_t i = 0; i < shares.size(); ++i) {
      out[i] = (1 - shares[i]) * out[i] + shares[i] * in[i];
    }
  });
}

}  // namespace sb3lm::fast
