#include <algorithm>

#include "runtime_ref/fast/each_token.h"

namespace sb3lm::fast {

std::unique_ptr<BoundStep> bind_copy(const Place& place, Binder& binder) {
  const Step& step = *place.step;
  Vectors& vectors = binder.shared.vectors;
  return each_token([&step, &vectors](const Batch&, std::size_t t) {
    std::copy_n(vectors.row(step.in[0], t), step.size, vectors.row(step.out, t));
  });
}

}  // namespace sb3lm::fast
