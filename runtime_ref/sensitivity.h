// How much the rounding of single matrices changes what a model says, by trying it.
#pragma once

#include <span>
#include <vector>

#include "base/progress.h"
#include "model/model.h"
#include "quant/plan.h"

namespace sb3lm {

/// Puts every unit's damage on one scale: the mean divergence, in nats per token, of the model's
/// predictions with only this unit rounded from those of the model as it is (Kullback-Leibler), at
/// one of its widths; the others follow in the proportion that plan_units found. Runs the tokens
/// (at most as many as the context) once per unit; the numbers do not depend on how many threads
/// (0: one per processor) work.
void calibrate_damage(const Model& model, std::span<const int> tokens, int threads,
                      std::vector<PlanUnit>& units, Progress& progress);

}  // namespace sb3lm
