#include "runtime_ref/fast/each_token.h"

namespace sb3lm::fast {

namespace {

std::unique_ptr<BoundStep> add_by_item(const Step& step, const std::vector<float>& by,
                                       Vectors& vectors) {
  return each_token([&step, &by, &vectors](const Batch&, std::size_t t) {
    const float* in = vectors.row(step.in[0], t);
    float* out = vectors.row(step.out, t);
    for (std::size_t i = 0; i < by.size(); ++i) out[i] += in[i] * by[i];
  });
}

}  // namespace

std::unique_ptr<BoundStep> bind_add(const Place& place, Binder& binder) {
  const Step& step = *place.step;
  Shared& shared = binder.shared;
  float factor = 1;
  for (const TensorKey& key : step.tensors) {
    const std::vector<float>& numbers = binder.vector(key);
    if (numbers.size() > 1) return add_by_item(step, numbers, shared.vectors);
    factor *= numbers[0];
  }
  return each_token([&step, &shared, factor](const Batch&, std::size_t t) {
    shared.kernels.add_scaled(factor, shared.vectors.row(step.in[0], t), size_of(step.size),
                              shared.vectors.row(step.out, t));
  });
}

}  // namespace sb3lm::fast
