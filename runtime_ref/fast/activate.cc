#include "runtime_ref/fast/bend.h"
#include "runtime_ref/fast/each_token.h"

namespace sb3lm::fast {

std::unique_ptr<BoundStep> bind_activate(const Place& place, Binder& binder) {
  const Step& step = *place.step;
  Shared& shared = binder.shared;
  return each_token([&step, &shared](const Batch&, std::size_t t) {
    const bool gated = step.in.size() > 1;
    bend(shared.kernels, std::get<ActivateWith>(step.with).activation,
         {shared.vectors.row(step.in[0], t), gated ? shared.vectors.row(step.in[1], t) : nullptr,
          size_of(step.size), shared.vectors.row(step.out, t)});
  });
}

}  // namespace sb3lm::fast
