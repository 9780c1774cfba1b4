#include "runtime_ref/sensitivity.h"

#include <algorithm>

#include "base/parallel.h"
#include "base/portable_math.h"
#include "quant/recipe.h"
#include "runtime_ref/engine.h"

namespace sb3lm {
namespace {

// Where the effect is clear and still in proportion to the noise.
constexpr int kTrialBits = 3;

/// log of the probabilities, position after position.
using LogRows = std::vector<std::vector<double>>;

std::vector<double> log_softmax(std::span<const double> logits) {
  const double top = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const double logit : logits) sum += portable::exp(logit - top);
  const double normaliser = top + portable::log(sum);
  std::vector<double> row;
  row.reserve(logits.size());
  for (const double logit : logits) row.push_back(logit - normaliser);
  return row;
}

LogRows predictions(const Model& model, std::span<const int> tokens) {
  Engine engine(model, static_cast<int>(tokens.size()));
  LogRows rows;
  for (const int token : tokens) rows.push_back(log_softmax(engine.step(token)));
  return rows;
}

/// Mean over positions of the sum of p log(p / q).
double divergence(const LogRows& exact, const LogRows& rounded) {
  double sum = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    for (std::size_t id = 0; id < exact[i].size(); ++id) {
      sum += portable::exp(exact[i][id]) * (exact[i][id] - rounded[i][id]);
    }
  }
  return std::max(0.0, sum / static_cast<double>(exact.size()));
}

/// The option to try: 3 bits, or the widest that changes anything.
const WidthOption& trial_option(const PlanUnit& unit) {
  const std::size_t below = unit.options.size() - (unit.stored_bits != 0 ? 2 : 1);
  return unit.options[std::min<std::size_t>(kTrialBits - 1, below)];
}

}  // namespace

void calibrate_damage(const Model& model, std::span<const int> tokens, int threads,
                      std::vector<PlanUnit>& units, Progress& progress) {
  tokens = tokens.first(std::min<std::size_t>(tokens.size(), model.spec.context));
  const LogRows exact = predictions(model, tokens);
  for_each_in_parallel(units.size(), threads, "trying matrices", progress, [&](std::size_t i) {
    PlanUnit& unit = units[i];
    if (unit.stored_bits == 1) return;  // it stays as it is
    const WidthOption& trial = trial_option(unit);
    if (trial.damage == 0) return;
    Model rounded = model;
    apply_recipe(rounded, {.float_bits = kStayFloats, .bits = {{unit.key, trial.bits}}});
    const double scale = divergence(exact, predictions(rounded, tokens)) / trial.damage;
    for (WidthOption& option : unit.options) option.damage *= scale;
  });
}

}  // namespace sb3lm
