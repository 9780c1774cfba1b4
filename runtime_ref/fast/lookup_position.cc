#include "runtime_ref/fast/each_token.h"

namespace sb3lm::fast {

std::unique_ptr<BoundStep> bind_lookup_position(const Place& place, Binder& binder) {
  const Step& step = *place.step;
  const PackedMatrix& rows = binder.matrix(step.tensors[0]);
  const int back = std::get<LookupWith>(step.with).back;
  Vectors& vectors = binder.shared.vectors;
  return each_token([&step, &rows, &vectors, back](const Batch& batch, std::size_t t) {
    const int row = static_cast<int>(batch.position + t) - back;
    look_up(rows, row, {vectors.row(step.out, t), size_of(step.size)});
  });
}

}  // namespace sb3lm::fast
