#include "quant/plan.h"

#include <algorithm>
#include <array>

#include "base/entropy.h"
#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "quant/rtn.h"

namespace sb3lm {
namespace {

// Blocks for one width more: its decoder and its row of the embedding, as `sb3lm report` shows them
// for models with several widths.
constexpr double kWidthBlocks = 1300;

/// One tensor at every width it can have.
struct Trial {
  TensorKey key;
  int widest = 0;
  std::array<double, kMostBits + 1> bytes{};  // by bits
};

void try_widths(const Tensor& tensor, Trial& trial) {
  const auto* own = std::get_if<CodedTensor>(&tensor);
  for (int bits = 1; bits <= trial.widest; ++bits) {
    const bool stays = own != nullptr && bits == own->format.bits;
    trial.bytes[static_cast<std::size_t>(bits)] =
        entropy_bits_of_bytes(stays ? own->codes : nearest_codes(tensor, bits).codes) / 8;
  }
}

std::vector<Trial> list_trials(const Model& model) {
  std::vector<Trial> trials;
  for (const auto& [key, shape] : expected_tensors(model.spec)) {
    if (is_vector(key.role) || is_router(key.role)) continue;
    const auto* coded = std::get_if<CodedTensor>(&model.at(key));
    trials.push_back({.key = key, .widest = coded == nullptr ? kMostBits : coded->format.bits});
  }
  return trials;
}

void add_trial(const Trial& trial, std::int64_t weights, PlanUnit& unit) {
  unit.weights += weights;
  while (unit.options.size() < static_cast<std::size_t>(trial.widest)) {
    // Tensors of the unit that have fewer bits stay as they are at the wider options.
    WidthOption wider = unit.options.empty() ? WidthOption{} : unit.options.back();
    wider.bits = static_cast<int>(unit.options.size()) + 1;
    unit.options.push_back(wider);
  }
  for (WidthOption& option : unit.options) {
    option.bytes += trial.bytes[static_cast<std::size_t>(std::min(option.bits, trial.widest))];
  }
}

using WidthSet = unsigned;  // bit b: width b may be used

bool allows(WidthSet widths, int bits) {
  return (widths >> bits & 1) != 0;
}

/// A step down of one unit, from one point of its lower convex hull to the next.
struct Step {
  std::size_t unit, to;
  double slope;  // damage per byte
};

/// The widest allowed option; units with none (codes of one bit, say) keep what they have.
std::size_t widest(const PlanUnit& unit, WidthSet widths) {
  for (std::size_t at = unit.options.size(); at-- > 0;) {
    if (allows(widths, unit.options[at].bits)) return at;
  }
  return unit.options.size() - 1;
}

void add_hull_steps(const PlanUnit& unit, std::size_t index, WidthSet widths,
                    std::vector<Step>& steps) {
  std::size_t at = widest(unit, widths);
  while (at > 0) {
    std::size_t best = at;
    double best_slope = 0;
    for (std::size_t to = at; to-- > 0;) {
      const double saved = unit.options[at].bytes - unit.options[to].bytes;
      if (saved <= 0 || !allows(widths, unit.options[to].bits)) continue;
      const double slope = (unit.options[to].damage - unit.options[at].damage) / saved;
      if (best == at || slope < best_slope) {
        best = to;
        best_slope = slope;
      }
    }
    if (best == at) return;
    steps.push_back({index, best, best_slope});
    at = best;
  }
}

/// The step up that helps most per byte and still fits; false if there is none.
bool widen_one(std::vector<PlanUnit>& units, WidthSet widths, double room) {
  PlanUnit* best = nullptr;
  std::size_t best_to = 0;
  double best_gain = 0;
  for (PlanUnit& unit : units) {
    for (std::size_t to = unit.chosen + 1; to < unit.options.size(); ++to) {
      const double cost = unit.options[to].bytes - unit.choice().bytes;
      const double saved = unit.choice().damage - unit.options[to].damage;
      if (cost > room || saved <= 0 || !allows(widths, unit.options[to].bits)) continue;
      const double gain = saved / std::max(cost, 1.0);
      if (best != nullptr && gain <= best_gain) continue;
      best = &unit;
      best_to = to;
      best_gain = gain;
    }
  }
  if (best != nullptr) best->chosen = best_to;
  return best != nullptr;
}

double option_bytes(const std::vector<PlanUnit>& units) {
  double sum = 0;
  for (const PlanUnit& unit : units) sum += unit.choice().bytes;
  return sum;
}

bool choose_among(std::vector<PlanUnit>& units, WidthSet widths, double bytes) {
  std::vector<Step> steps;
  for (std::size_t i = 0; i < units.size(); ++i) {
    units[i].chosen = widest(units[i], widths);
    add_hull_steps(units[i], i, widths, steps);
  }
  // Slopes rise along each hull, so a unit's steps keep their order.
  std::stable_sort(steps.begin(), steps.end(),
                   [](const Step& a, const Step& b) { return a.slope < b.slope; });
  for (const Step& step : steps) {
    if (option_bytes(units) <= bytes) break;
    units[step.unit].chosen = step.to;
  }
  if (option_bytes(units) > bytes) return false;
  while (widen_one(units, widths, bytes - option_bytes(units))) {
  }
  return true;
}

}  // namespace

std::vector<PlanUnit> plan_units(const Model& model, int threads, Progress& progress) {
  std::vector<Trial> trials = list_trials(model);
  for_each_in_parallel(trials.size(), threads, "trying widths", progress,
                       [&](std::size_t i) { try_widths(model.at(trials[i].key), trials[i]); });
  std::map<TensorKey, std::size_t> index;
  std::vector<PlanUnit> units;
  for (const Trial& trial : trials) {
    const TensorKey key{trial.key.role, trial.key.layer};
    const auto [at, is_new] = index.emplace(key, units.size());
    if (is_new) units.push_back({.key = key});
    PlanUnit& unit = units[at->second];
    const Tensor& tensor = model.at(trial.key);
    const Shape shape = shape_of(tensor);
    if (std::holds_alternative<CodedTensor>(tensor)) {
      unit.stored_bits = std::max(unit.stored_bits, trial.widest);
    }
    add_trial(trial, std::int64_t{shape.rows} * shape.cols, unit);
  }
  for (PlanUnit& unit : units) unit.chosen = unit.options.size() - 1;
  return units;
}

WidthCosts width_costs(const Model& model, const CodeEncoding& encoding, int threads,
                       Progress& progress) {
  const Tensor& largest = model.at({Role::embedding});
  WidthCosts costs{};
  for_each_in_parallel(kMostBits, threads, "sizing codebooks", progress, [&](std::size_t i) {
    const int bits = static_cast<int>(i) + 1;
    double& cost = costs[static_cast<std::size_t>(bits)];
    cost = kWidthBlocks;
    if (encoding.codebook_letters(bits) == 0) return;
    const CodedTensor coded = nearest_codes(largest, bits);
    const std::array tensors{&coded};
    const std::string book = encoding.codebook(bits, tensors);
    cost += entropy_bits_of_bytes(as_bytes(book)) / 8;
  });
  return costs;
}

double planned_bytes(const std::vector<PlanUnit>& units, const WidthCosts& costs) {
  WidthSet used = 0;
  for (const PlanUnit& unit : units) used |= 1u << unit.choice().bits;
  double sum = option_bytes(units);
  for (int bits = 1; bits <= kMostBits; ++bits) {
    if (allows(used, bits)) sum += costs[static_cast<std::size_t>(bits)];
  }
  return sum;
}

double planned_damage(const std::vector<PlanUnit>& units) {
  double sum = 0;
  for (const PlanUnit& unit : units) sum += unit.choice().damage;
  return sum;
}

bool choose_widths(std::vector<PlanUnit>& units, double bytes, const WidthCosts& costs) {
  std::vector<PlanUnit> best, trial = units;
  // Every set of widths that is not empty, beginning with all of them.
  for (unsigned set = (1u << kMostBits) - 1; set > 0; --set) {
    const WidthSet widths = set << 1;  // bit 0 would be the width 0
    double room = bytes;
    for (int bits = 1; bits <= kMostBits; ++bits) {
      if (allows(widths, bits)) room -= costs[static_cast<std::size_t>(bits)];
    }
    if (!choose_among(trial, widths, room) || planned_bytes(trial, costs) > bytes) continue;
    if (best.empty() || planned_damage(trial) < planned_damage(best)) best = trial;
  }
  if (best.empty()) {
    for (PlanUnit& unit : units) unit.chosen = 0;
    return false;
  }
  units = std::move(best);
  return true;
}

}  // namespace sb3lm
