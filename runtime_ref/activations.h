// Collects what a plan weighs errors with, by running the double engine on a text.
#pragma once

#include <span>

#include "base/progress.h"
#include "model/model.h"
#include "quant/activations.h"

namespace sb3lm {

/// Runs the tokens (at most as many as the context) from an empty cache. Throws usage for ids
/// outside the vocabulary.
ActivationStats collect_activations(const Model& model, std::span<const int> tokens,
                                    Progress& progress);

}  // namespace sb3lm
