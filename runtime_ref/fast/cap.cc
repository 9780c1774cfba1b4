#include <cmath>

#include "runtime_ref/fast/each_token.h"

namespace sb3lm::fast {

std::unique_ptr<BoundStep> bind_cap(const Place& place, Binder& binder) {
  const Step& step = *place.step;
  const auto cap = static_cast<float>(std::get<CapWith>(step.with).cap);
  Vectors& vectors = binder.shared.vectors;
  return each_token([&step, &vectors, cap](const Batch&, std::size_t t) {
    for (float& value : std::span(vectors.row(step.out, t), size_of(step.size))) {
      value = cap * std::tanh(value / cap);
    }
  });
}

}  // namespace sb3lm::fast
