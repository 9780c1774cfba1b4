// Shorter programs for files whose text counts uncompressed.
#pragma once

#include "scratch/ir.h"

namespace sb3lm::scratch {

/// Drops the `+ 0` of private numbers and arguments, which only compilers want, and gives private
/// variables, and private lists without items, names of a few letters.
void shorten(Program& program);

}  // namespace sb3lm::scratch
