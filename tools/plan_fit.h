// plan --fit: the part of `plan` that chooses widths for a size, by building.
#pragma once

#include "model/model.h"
#include "options.h"
#include "quant/plan.h"
#include "quant/recipe.h"
#include "runtime_ref/calibration.h"

namespace sb3lm {

struct Planned {
  std::vector<PlanUnit> units;
  Recipe recipe;
  std::size_t sb3_bytes = 0;
  Model rounded;          // the model by the recipe
  double divergence = 0;  // of its predictions from the model's, in nats a token (sensitivity.h)
};

/// Widths for `options.fit` bytes at the least divergence on the text, whose beginning the single
/// matrices are tried on. Throws mismatch if not even the narrowest fit.
Planned plan_to_fit(const Model& model, const PlanOptions& options, const Windows& text,
                    Progress& progress);

}  // namespace sb3lm
