// How far a decoder's logits are from the verification engine's.
#pragma once

#include <span>
#include <vector>

#include "model/model.h"
#include "runtime_ref/decoder.h"

namespace sb3lm::test {

using LogitRows = std::vector<std::vector<double>>;

/// After each token.
LogitRows all_logits(Decoder& engine, std::span<const int> tokens);

/// Largest difference relative to the row's largest size, over rows until a near choice of experts.
double worst_error(const Model& model, const LogitRows& rows, std::span<const int> tokens);

}  // namespace sb3lm::test
