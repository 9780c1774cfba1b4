#include <algorithm>

#include "runtime_ref/fast/each_token.h"

namespace sb3lm::fast {

namespace {

constexpr float kLeast = 1e-24F;  // of |v|^2

float dot(const float* a, const float* b, std::size_t size) {
  float sum = 0;
  for (std::size_t i = 0; i < size; ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace

// The values are those that attention added, rounded as in the cache: where it saw little else,
// next to nothing is left, and the difference of two roundings would be all of it.
std::unique_ptr<BoundStep> bind_exclude(const Place& place, Binder& binder) {
  const Step& step = *place.step;
  const auto& with = std::get<ExcludeWith>(step.with);
  Vectors& vectors = binder.shared.vectors;
  const FixedCache& cache = binder.cache(step.state);
  std::vector<float> v(size_of(with.head_size));
  return each_token([&step, &with, &vectors, &cache, v](const Batch& batch, std::size_t t) mutable {
    const int group = with.query_heads / with.kv_heads;
    for (int head = 0; head < with.query_heads; ++head) {
      if (head % group == 0) {
        cache.get_values(batch.position + t, size_of(head / group), v.data());
      }
      float* y = vectors.row(step.out, t) + size_of(head) * v.size();
      const float along =
          dot(y, v.data(), v.size()) / std::max(dot(v.data(), v.data(), v.size()), kLeast);
      for (std::size_t i = 0; i < v.size(); ++i) y[i] -= along * v[i];
    }
  });
}

}  // namespace sb3lm::fast
