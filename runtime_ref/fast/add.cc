#include "runtime_ref/fast/each_token.h"

namespace sb3lm::fast {

std::unique_ptr<BoundStep> bind_add(const Place& place, Binder& binder) {
  const Step& step = *place.step;
  Shared& shared = binder.shared;
  return each_token([&step, &shared](const Batch&, std::size_t t) {
    shared.kernels.add_scaled(1, shared.vectors.row(step.in[0], t), size_of(step.size),
                              shared.vectors.row(step.out, t));
  });
}

}  // namespace sb3lm::fast
