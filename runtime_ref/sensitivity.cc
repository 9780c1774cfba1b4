#include "runtime_ref/sensitivity.h"

#include <algorithm>

#include "base/parallel.h"
#include "base/portable_math.h"
#include "runtime_ref/engine.h"

namespace sb3lm {
namespace {

constexpr int kFirstTrial = 2, kLastTrial = 4;  // bits
constexpr double kPerBit = 4;                   // squared errors fall so
constexpr double kLeastShare = 20;

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

LogRows predictions(const Model& model, const Windows& text) {
  std::size_t longest = 1;
  for (const std::vector<int>& window : text) longest = std::max(longest, window.size());
  Engine engine(model, static_cast<int>(longest));
  LogRows rows;
  for (const std::vector<int>& window : text) {
    engine.reset();
    for (const int token : window) rows.push_back(log_softmax(engine.step(token)));
  }
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

/// All matrices of a unit at that width, or at their own where that is less.
Widths unit_widths(const Model& model, const TensorKey& unit, int bits) {
  Widths widths;
  for (const auto& [key, tensor] : model.tensors) {
    if (key.role != unit.role || key.layer != unit.layer) continue;
    const auto* coded = std::get_if<CodedTensor>(&tensor);
    if (coded == nullptr || bits < coded->format.bits) widths[key] = bits;
  }
  return widths;
}

/// The widest that rounds the unit: codes keep their own width without any damage.
int most_trial(const PlanUnit& unit) {
  return unit.options.back().bits - (unit.stored_bits != 0 ? 1 : 0);
}

/// From the widths [first, last] that were measured to those beside them; more bits never do more
/// damage.
void extend(PlanUnit& unit, int first, int last) {
  std::vector<WidthOption>& options = unit.options;
  for (std::size_t at = static_cast<std::size_t>(last); at < options.size(); ++at) {
    options[at].damage = options[at - 1].damage / kPerBit;
  }
  if (unit.stored_bits != 0) options.back().damage = 0;
  for (std::size_t at = static_cast<std::size_t>(first) - 1; at-- > 0;) {
    options[at].damage = options[at + 1].damage * kPerBit;
  }
  for (std::size_t at = options.size() - 1; at-- > 0;) {
    options[at].damage = std::max(options[at].damage, options[at + 1].damage);
  }
}

}  // namespace

double divergence(const Model& exact, const Model& rounded, const Windows& text) {
  return divergence(predictions(exact, text), predictions(rounded, text));
}

void measure_damage(const Model& model, const RoundMatrices& round, const Windows& text,
                    int threads, std::vector<PlanUnit>& units, Progress& progress) {
  const LogRows exact = predictions(model, text);
  for_each_in_parallel(units.size(), threads, "trying matrices", progress, [&](std::size_t i) {
    PlanUnit& unit = units[i];
    if (unit.stored_bits == 1) return;  // it stays as it is
    const int most = most_trial(unit);
    const int first = std::min(kFirstTrial, most), last = std::min(kLastTrial, most);
    for (int bits = first; bits <= last; ++bits) {
      Model rounded = model;
      round(rounded, unit_widths(model, unit.key, bits));
      unit.options[static_cast<std::size_t>(bits - 1)].damage =
          divergence(exact, predictions(rounded, text));
    }
    extend(unit, first, last);
  });
}

void measure_damage_among(const Model& model, const Model& planned, const RoundMatrices& round,
                          const Windows& text, int threads, std::vector<PlanUnit>& units,
                          Progress& progress) {
  const LogRows exact = predictions(model, text);
  const double whole = divergence(exact, predictions(planned, text));
  // A share of the whole that no unit is taken to be below: what is measured is not that exact.
  const double least = whole / (kLeastShare * static_cast<double>(units.size()));
  for_each_in_parallel(units.size(), threads, "trying matrices", progress, [&](std::size_t i) {
    PlanUnit& unit = units[i];
    if (unit.stored_bits == 1) return;
    const Widths whole_unit = unit_widths(model, unit.key, 0);
    const auto diverges_at = [&](int bits) {
      if (bits == unit.choice().bits) return whole;
      Model trial = planned;
      for (const auto& [key, width] : whole_unit) trial.tensors.at(key) = model.at(key);
      if (bits != 0) round(trial, unit_widths(model, unit.key, bits));
      return divergence(exact, predictions(trial, text));
    };
    const int most = most_trial(unit);
    const int first = std::clamp(unit.choice().bits - 1, 1, most);
    const int last = std::clamp(unit.choice().bits + 1, 1, most);
    const double without = diverges_at(0);
    for (int bits = first; bits <= last; ++bits) {
      unit.options[static_cast<std::size_t>(bits - 1)].damage =
          std::max(diverges_at(bits) - without, least);
    }
    extend(unit, first, last);
  });
}

}  // namespace sb3lm
