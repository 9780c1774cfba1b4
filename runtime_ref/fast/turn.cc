#include "runtime_ref/fast/each_token.h"

namespace sb3lm::fast {

std::unique_ptr<BoundStep> bind_turn(const Place& place, Binder& binder) {
  const Step& step = *place.step;
  const auto& with = std::get<TurnWith>(step.with);
  Rotations& rotations = binder.rotations(with.rope);
  Vectors& vectors = binder.shared.vectors;
  return each_token([&step, &with, &rotations, &vectors](const Batch& batch, std::size_t t) {
    rotations.turn_to(batch.position, batch.ids.size());
    float* heads = vectors.row(step.out, t);
    for (int at = 0; at < step.size; at += with.head_size) rotations.turn(t, heads + at);
  });
}

}  // namespace sb3lm::fast
