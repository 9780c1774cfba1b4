#include <algorithm>

#include "runtime_ref/fast/each_token.h"
#include "runtime_ref/ops.h"

namespace sb3lm::fast {
namespace {

/// weights[e] = that of expert e, 0 for those that are not chosen.
void route(const RouteWith& with, const float* logits, float* weights) {
  std::vector<double> score(logits, logits + with.experts);
  const std::vector<int> chosen = ops::top_k(score, with.top_k);
  if (with.norm == RouterNorm::all) ops::softmax(score);
  std::vector<double> weight;
  weight.reserve(chosen.size());
  for (const int expert : chosen) weight.push_back(score[size_of(expert)]);
  if (with.norm == RouterNorm::chosen) ops::softmax(weight);
  std::fill_n(weights, with.experts, 0.0F);
  for (std::size_t c = 0; c < chosen.size(); ++c) {
    weights[chosen[c]] = static_cast<float>(weight[c]);
  }
}

}  // namespace

std::unique_ptr<BoundStep> bind_route(const Place& place, Binder& binder) {
  const Step& step = *place.step;
  const auto& with = std::get<RouteWith>(step.with);
  Vectors& vectors = binder.shared.vectors;
  return each_token([&step, &with, &vectors](const Batch&, std::size_t t) {
    route(with, vectors.row(step.in[0], t), vectors.row(step.out, t));
  });
}

}  // namespace sb3lm::fast
