#include <numeric>

#include "runtime_ref/fast/each_token.h"

namespace sb3lm::fast {
namespace {

void centre(const float* x, std::size_t size, float* out) {
  const double mean = std::accumulate(x, x + size, 0.0) / static_cast<double>(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<float>(x[i] - mean);
}

}  // namespace

std::unique_ptr<BoundStep> bind_norm(const Place& place, Binder& binder) {
  const Step& step = *place.step;
  const auto& with = std::get<NormWith>(step.with);
  const std::size_t size = size_of(step.size / with.heads);
  std::vector<float> weights(size, 1.0F), bias;
  if (!step.tensors.empty()) weights = binder.vector(step.tensors[0]);
  if (step.tensors.size() > 1) bias = binder.vector(step.tensors[1]);
  for (float& weight : weights) weight *= static_cast<float>(with.factor);
  Shared& shared = binder.shared;
  return each_token([&step, &with, &shared, weights, bias](const Batch&, std::size_t t) {
    const std::size_t size = weights.size();
    for (std::size_t at = 0; at < size_of(step.size); at += size) {
      const float* in = shared.vectors.row(step.in[0], t) + at;
      float* out = shared.vectors.row(step.out, t) + at;
      if (with.centred) {
        centre(in, size, out);
        in = out;
      }
      shared.kernels.rms_norm(in, weights.data(), size, static_cast<float>(with.eps), out);
      if (step.tensors.size() > 1) shared.kernels.add_scaled(1, bias.data(), size, out);
    }
  });
}

}  // namespace sb3lm::fast
