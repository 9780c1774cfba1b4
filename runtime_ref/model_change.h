// What a change of the weights does to a model's output, by running both on the same tokens.
#pragma once

#include <span>

#include "model/model.h"
#include "model/recipe.h"

namespace sb3lm {

/// Runs the tokens (at most as many as the context) from an empty cache in both models, at the same
/// time. `is_text`: the tokens are a text, so that its perplexity means something. Throws usage for
/// fewer than 2 tokens or ids outside the vocabulary.
ModelChange measure_change(const Model& before, const Model& after, std::span<const int> tokens,
                           bool is_text);

/// exp of the mean -log p of all tokens but the first, which must be 2 at least and fit the
/// context.
double perplexity_of(const Model& model, std::span<const int> tokens);

}  // namespace sb3lm
