#include "runtime_ref/fast/each_token.h"
#include "runtime_ref/ops.h"

namespace sb3lm::fast {

std::unique_ptr<BoundStep> bind_activate(const Place& place, Binder& binder) {
  const Step& step = *place.step;
  Shared& shared = binder.shared;
  const Activation activation = std::get<ActivateWith>(step.with).activation;
  const bool gated = step.in.size() > 1;
  const std::size_t size = size_of(step.size);
  if (gated && activation == Activation::silu) {
    return each_token([&step, &shared, size](const Batch&, std::size_t t) {
      shared.kernels.swiglu(shared.vectors.row(step.in[0], t), shared.vectors.row(step.in[1], t),
                            size, shared.vectors.row(step.out, t));
    });
  }
  return each_token([&step, &shared, size, activation, gated](const Batch&, std::size_t t) {
    const float* in = shared.vectors.row(step.in[0], t);
    const float* by = gated ? shared.vectors.row(step.in[1], t) : nullptr;
    float* out = shared.vectors.row(step.out, t);
    for (std::size_t i = 0; i < size; ++i) {
      const auto bent = static_cast<float>(ops::activate(activation, in[i]));
      out[i] = gated ? bent * by[i] : bent;
    }
  });
}

}  // namespace sb3lm::fast
