// Tensor names to roles, by the alias tables names_*.def.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/tensor.h"

namespace sb3lm {

/// The role of a stem ("model.layers.3.self_attn.q_proj.weight"), a leading "model." and an ending
/// ".weight" left away. `layer` is the number in the name; expert -1 of an expert role means one
/// tensor that stacks all experts. Nothing if no alias fits.
std::optional<TensorKey> role_of_name(std::string_view stem);

/// The text of the role whose alias is spelled most like the stem, for error messages.
std::string nearest_role(std::string_view stem);

}  // namespace sb3lm
