// Carries out a recipe on an imported model.
#pragma once

#include "model/model.h"
#include "model/recipe.h"
#include "quant/moments.h"

namespace sb3lm {

/// Quantises, requantises and rounds; sets model.rounding. `calibration` is what Quantiser::gptq
/// rounds for. Throws usage for widths outside their range, unsupported for more bits than a matrix
/// has, bad_input for tensors that there are not.
void apply_recipe(Model& model, const Recipe& recipe, const Calibration& calibration = {});

/// Whether apply_recipe would look at a calibration.
bool wants_calibration(const Model& model, const Recipe& recipe);

/// Throws usage if the recipe names a width of what the model has nothing of.
void require_use(const Model& model, const Recipe& recipe);

/// A binary16 number with `bits` mantissa bits, to nearest, halves to even; never to infinity.
std::uint16_t round_mantissa(std::uint16_t half, int bits);

}  // namespace sb3lm
