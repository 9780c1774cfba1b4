// The layout for Kernel::columns: everything is decoded at the green flag, in the order of the
// text, and added to lists that are empty before.
#pragma once

#include "lower/layout.h"

namespace sb3lm {

/// Throws unsupported where a list would have to be longer.
Layout make_column_layout(const Model& model, int context);

/// The longest context whose caches stay below kMostListItems, at most `wanted`.
int column_context(const ModelSpec& spec, int wanted);

}  // namespace sb3lm
