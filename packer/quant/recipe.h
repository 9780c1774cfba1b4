// Carries out a recipe on an imported model.
#pragma once

#include "model/model.h"
#include "model/recipe.h"
#include "quant/rtn.h"

namespace sb3lm {

/// Quantises, requantises and rounds; sets model.rounding and model.quantiser. `gptq` does it where
/// quantiser_of says so. Throws usage for widths outside their range, unsupported for more bits
/// than a matrix has, bad_input for tensors that there are not.
void apply_recipe(Model& model, const Recipe& recipe, const RoundMatrices& gptq = {});

/// The recipe's, if it names one and a matrix gets codes; else gptq where float matrices get fewer
/// than 8 bits, unless the model has more than kMostForGptq weights, which would take too long.
inline constexpr std::int64_t kMostForGptq = 45'000'000;
Quantiser quantiser_of(const Model& model, const Recipe& recipe);

/// Throws usage if the recipe names a width of what the model has nothing of.
void require_use(const Model& model, const Recipe& recipe);

/// A binary16 number with `bits` mantissa bits, to nearest, halves to even; never to infinity.
std::uint16_t round_mantissa(std::uint16_t half, int bits);

}  // namespace sb3lm
