// The interface of projects in which every block counts: the stage asks for a message when it is
// clicked, the space key stops, and lists and variables show what happens. Uses only the public
// names of the engine.
#pragma once

#include "scratch/ir.h"

namespace sb3lm {

/// Adds the stage's scripts and monitors. The stage comes first in the program and already has the
/// engine's public variables and lists.
void add_small_ui(scratch::Program& program, bool has_tokenizer);

}  // namespace sb3lm
