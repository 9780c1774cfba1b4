// The order in which a model's layers run, by the numbers that its checkpoint gives them.
#pragma once

#include <vector>

#include "model/model.h"

namespace sb3lm {

/// LayerSpec::id of every pass, in running order.
std::vector<int> pass_ids(const ModelSpec& spec);

/// Lets the layers run in another order, some twice if they are named twice. Those that are not
/// named are dropped with their tensors, and the others' indices close up. Throws bad_input for a
/// layer that there is not, unsupported for models whose passes have weights of their own (skips).
void take_passes(Model& model, const std::vector<int>& ids);

}  // namespace sb3lm
