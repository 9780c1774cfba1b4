// The names and choices in a target's blocks.
#pragma once

#include <functional>
#include <string>

#include "scratch/ir.h"

namespace sb3lm::scratch {

/// Shows every field of the target's blocks, hats too; `see` may change it.
void for_each_field(Target& target,
                    const std::function<void(FieldKind kind, std::string& field)>& see);

}  // namespace sb3lm::scratch
