// Removes what no block uses, so that kernels may declare their workspace without knowing which
// models need all of it.
#pragma once

#include "scratch/ir.h"

namespace sb3lm::scratch {

/// Drops private (name begins with "_") variables and lists that no block and no monitor names.
void drop_unused(Program& program);

}  // namespace sb3lm::scratch
