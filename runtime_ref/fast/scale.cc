#include "runtime_ref/fast/each_token.h"

namespace sb3lm::fast {

std::unique_ptr<BoundStep> bind_scale(const Place& place, Binder& binder) {
  const Step& step = *place.step;
  const auto factor = static_cast<float>(std::get<ScaleWith>(step.with).factor);
  Vectors& vectors = binder.shared.vectors;
  return each_token([&step, &vectors, factor](const Batch&, std::size_t t) {
    for (float& value : std::span(vectors.row(step.out, t), size_of(step.size))) value *= factor;
  });
}

}  // namespace sb3lm::fast
