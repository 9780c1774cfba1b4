// Lets variables share, so that a sprite has few of them: Scratch's editor sorts all names of a
// sprite for each menu that it draws.
#pragma once

#include "scratch/ir.h"

namespace sb3lm::scratch {

/// Gives private variables (name begins with "_") of a sprite one name where none of them is needed
/// while another one is set (scratch/liveness.h) and all begin as the same kind of value. What is
/// computed stays the same.
void share_variables(Program& program);

}  // namespace sb3lm::scratch
