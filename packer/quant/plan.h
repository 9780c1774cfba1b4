// How many bits each matrix gets, so that all fit a budget at least damage.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "base/progress.h"
#include "model/model.h"
#include "quant/encoding.h"

namespace sb3lm {

struct WidthOption {
  int bits = 0;
  double bytes = 0;   // of the codes at their entropy
  double damage = 0;  // nats a token, by runtime_ref/sensitivity.h
};

/// Matrices that get one width: one role of one layer, all experts together.
struct PlanUnit {
  TensorKey key;  // expert -1 for routed experts
  std::int64_t weights = 0;
  int stored_bits = 0;               // widest that the checkpoint has; 0: floats
  std::vector<WidthOption> options;  // by bits
  std::size_t chosen = 0;            // index into options

  const WidthOption& choice() const { return options[chosen]; }
};

/// Every matrix but routers, at each width from 1 to 8 (floats) or to its own (codes), without
/// damage. The numbers do not depend on how many threads (0: one per processor) work.
std::vector<PlanUnit> plan_units(const Model& model, int threads, Progress& progress);

/// By bits: what a file pays for having any matrix of that width, in bytes. The text that explains
/// the codes to the decoder (measured on the model's largest matrix), and the blocks that decode
/// and multiply them.
using WidthCosts = std::array<double, 9>;
WidthCosts width_costs(const Model& model, const CodeEncoding& encoding, int threads,
                       Progress& progress);

/// Chooses an option for each unit so that all take at most `bytes` at the least damage. For every
/// set of widths: from the widest down, always the step that does the least damage per byte saved,
/// then back up where room is left; the best set wins. Returns false, with the narrowest chosen, if
/// even they take more.
bool choose_widths(std::vector<PlanUnit>& units, double bytes, const WidthCosts& costs);

/// Of the chosen options and their widths.
double planned_bytes(const std::vector<PlanUnit>& units, const WidthCosts& costs);
double planned_damage(const std::vector<PlanUnit>& units);

}  // namespace sb3lm
