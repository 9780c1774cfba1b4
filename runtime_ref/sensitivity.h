// How much the rounding of single matrices changes what a model says, by trying it.
#pragma once

#include <vector>

#include "base/progress.h"
#include "model/model.h"
#include "quant/plan.h"
#include "quant/rtn.h"
#include "runtime_ref/calibration.h"

namespace sb3lm {

/// The damage of each unit at each width: the mean divergence, in nats per token, of the model's
/// predictions with only this unit rounded from those of the model as it is (Kullback-Leibler). It
/// is measured at 2, 3 and 4 bits, and taken to be a quarter for each bit more, and four times as
/// much at one less. `round` does the rounding. Runs the text up
/// to three times per unit; the numbers do not depend on how many threads (0: one per processor)
/// work.
void measure_damage(const Model& model, const RoundMatrices& round, const Windows& text,
                    int threads, std::vector<PlanUnit>& units, Progress& progress);

/// The same in the surroundings of a plan: `planned` is the model rounded to the chosen widths, and
/// the damage of a unit is how much more the predictions diverge than with the unit unrounded. It
/// is measured at the chosen width and those beside it. Runs the text up to three times per unit.
void measure_damage_among(const Model& model, const Model& planned, const RoundMatrices& round,
                          const Windows& text, int threads, std::vector<PlanUnit>& units,
                          Progress& progress);

/// The same divergence of one model's predictions from another's.
double divergence(const Model& exact, const Model& rounded, const Windows& text);

}  // namespace sb3lm
