#include "runtime_ref/fast/each_token.h"

namespace sb3lm::fast {

std::unique_ptr<BoundStep> bind_store(const Place& place, Binder& binder) {
  const Step& step = *place.step;
  FixedCache& cache = binder.cache(step.state);
  Shared& shared = binder.shared;
  return each_token([&step, &cache, &shared](const Batch& batch, std::size_t t) {
    cache.put(shared.kernels, batch.position + t, shared.vectors.row(step.in[0], t),
              shared.vectors.row(step.in[1], t));
  });
}

}  // namespace sb3lm::fast
