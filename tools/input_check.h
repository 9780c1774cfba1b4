// Refuses options that an input cannot honour.
#pragma once

#include "options.h"

namespace sb3lm {

/// For an .sb3, whose numbers are what they are: throws usage if there are options that say how to
/// read or change a checkpoint.
void check_built_input(const InputOptions& input);

/// The double engine has one thread: throws usage if it is given others.
void check_threads(EngineKind engine, int threads);

}  // namespace sb3lm
