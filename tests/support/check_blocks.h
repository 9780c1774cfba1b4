// The blocks of a project against the verification engine.
#pragma once

#include <vector>

#include "model/model.h"
#include "scratch/ir.h"

namespace sb3lm::test {

/// Of a logit. Far below the 1e-9 of ARCHITECTURE.md, and above what orders of summation leave.
inline constexpr double kUsualError = 1e-11;

/// Checks (as doctest does) that the program's logits for comparison_request are the engine's.
/// Returns the tokens after which they were compared.
std::vector<int> check_blocks(const Model& model, const scratch::Program& program);

}  // namespace sb3lm::test
