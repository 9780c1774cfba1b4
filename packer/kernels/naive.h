// The matrix kernel that a maker writes by hand, to measure the others against: one list item per
// weight, one multiplication per turn of a loop. Slow on purpose, and without the `+ 0` that tells
// a compiler the type of an index: who knows of that would not write this loop.
#pragma once

#include "kernels/workspace.h"

namespace sb3lm {

/// naive(weights_at, rows, cols, in_at, out_at): out = W x, W being rows * cols items of `weights`.
using NaiveProc = blocks::Proc<blocks::Num, blocks::Num, blocks::Num, blocks::Num, blocks::Num>;
NaiveProc emit_naive(blocks::Sprite& engine, const Workspace& w,
                     const blocks::List<blocks::Num>& weights);

}  // namespace sb3lm
