// Before which steps the table of subset sums is built: once for all matrices that read one vector,
// and not at all if none of them is stored as codes.
#pragma once

#include <vector>

#include "lower/layout.h"

namespace sb3lm {

/// For each step of a part, the matrix in whose groups a table of the step's input must be built
/// before it, or null.
std::vector<const TensorPlace*> tables_before(const Layout& layout, const Part& part);

}  // namespace sb3lm
