#include "runtime_ref/sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "runtime_ref/ops.h"

namespace sb3lm {
namespace {

constexpr std::uint64_t kModulus = 2147483647;
constexpr std::uint64_t kMultiplier = 16807;

void check_options(const SamplingOptions& options) {
  const auto need = [](bool holds, const char* name, double value, const char* rule) {
    if (!holds || !std::isfinite(value)) fail(Fault::usage, "{} {}: {}", name, value, rule);
  };
  need(options.temperature >= 0, "temperature", options.temperature, "it must be 0 or more");
  need(options.top_k >= 0, "top k", options.top_k, "it must be 0 (off) or more");
  need(options.top_p >= 0, "top p", options.top_p, "it must be 0 to 1 (off)");
  need(options.repetition_penalty > 0, "repetition penalty", options.repetition_penalty,
       "it must be above 0; 1 is none");
  need(true, "seed", options.seed, "it must be a number");
}

struct Candidates {
  std::vector<int> ids;             // ascending
  std::vector<double> probability;  // of each
};

/// Keeps the shortest prefix in descending order whose sum reaches `top_p`, and renormalises.
Candidates cut_to(double top_p, const Candidates& all) {
  std::vector<std::size_t> order(all.ids.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return all.probability[a] > all.probability[b];
  });
  double sum = 0;
  std::size_t kept = 0;
  while (kept < order.size() && (kept == 0 || sum < top_p)) sum += all.probability[order[kept++]];
  order.resize(kept);
  std::sort(order.begin(), order.end());
  Candidates prefix;
  for (const std::size_t i : order) {
    prefix.ids.push_back(all.ids[i]);
    prefix.probability.push_back(all.probability[i] / sum);
  }
  return prefix;
}

}  // namespace

Lehmer::Lehmer(double seed)
    : x_(1 + static_cast<std::uint64_t>(
                 std::fmod(std::fabs(std::floor(seed)), static_cast<double>(kModulus - 1)))) {}

double Lehmer::draw() {
  x_ = kMultiplier * x_ % kModulus;
  return static_cast<double>(x_) / static_cast<double>(kModulus);
}

Sampler::Sampler(const SamplingOptions& options, int vocabulary)
    : options_((check_options(options), options)),
      random_(options.seed),
      seen_(static_cast<std::size_t>(vocabulary)) {}

void Sampler::saw(int token) {
  seen_.at(static_cast<std::size_t>(token)) = true;
}

int Sampler::sample(std::span<const double> logits) {
  const double penalty = options_.repetition_penalty;
  std::vector<double> score(logits.begin(), logits.end());
  for (std::size_t id = 0; id < score.size(); ++id) {
    if (seen_[id]) score[id] = score[id] > 0 ? score[id] / penalty : score[id] * penalty;
  }
  if (options_.temperature == 0) return ops::argmax(score);

  for (double& value : score) value /= options_.temperature;
  const int all = static_cast<int>(score.size());
  Candidates candidates{.ids = ops::top_k(score, options_.top_k == 0 ? all : options_.top_k),
                        .probability = {}};
  for (const int id : candidates.ids) {
    candidates.probability.push_back(score[static_cast<std::size_t>(id)]);
  }
  ops::softmax(candidates.probability);
  if (options_.top_p < 1) candidates = cut_to(options_.top_p, candidates);

  const double draw = random_.draw();
  double sum = 0;
  for (std::size_t i = 0; i < candidates.ids.size(); ++i) {
    sum += candidates.probability[i];
    if (draw < sum) return candidates.ids[i];
  }
  return candidates.ids.back();
}

}  // namespace sb3lm
