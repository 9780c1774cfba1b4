// The lists and variables that kernels share. All activations live in one list, `act`, in regions
// that lower/layout.cc hands out, so that one leaf procedure serves every matrix of a width.
#pragma once

#include <algorithm>
#include <vector>

#include "model/choices.h"
#include "scratch/script.h"

namespace sb3lm {

struct Workspace {
  blocks::List<blocks::Num> codes;  // bit planes: table index of each group of 8 weights; or
                                    // for Kernel::naive the weights; for Kernel::columns those
                                    // of one row only, on their way to or from the columns
  std::vector<blocks::List<blocks::Num>> columns;  // Kernel::columns: one index a turn each
  blocks::List<blocks::Num> scales;                // row scales, norms, routers, float matrices
  blocks::List<blocks::Num> act;                   // activations, by region
  blocks::List<blocks::Num> table;    // 256 subset sums per group of 8 inputs, rebuilt per vector
  blocks::List<blocks::Num> keys;     // KV cache: per pass [position][kv head][dim]
  blocks::List<blocks::Num> values;   // KV cache: per pass [kv head][dim][position]
  blocks::Var<blocks::Num> sum;       // of the vector that `table` was built from
  blocks::Var<blocks::Num> position;  // of the token being computed, from 0
  blocks::Var<blocks::Num> exp;       // result of the exp procedure
  blocks::Var<blocks::Num> compiled;  // 1: the forms for a VM that compiles (TurboWarp); 0: others
  Tune tune = Tune::both;
  bool small = false;  // few blocks rather than fast ones, where that costs no more than a third
};

/// Creates the lists with their preloaded sizes on the engine's target.
struct WorkspaceSizes {
  std::size_t codes = 0;
  std::vector<scratch::Scalar> float_weights;  // first items of `scales`
  std::size_t scales = 0;                      // decoded items after them
  std::size_t act = 0;
  std::size_t cache = 0;
  Tune tune = Tune::both;
  int columns = 0;
  bool small = false;
};
Workspace make_workspace(blocks::Sprite& engine, WorkspaceSizes sizes);

/// The largest expression that a kernel may unroll (docs/costs.md).
inline constexpr int kMaxTerms = 96;

/// The largest divisor of n up to `most`: how many of n like items one loop turn takes.
inline int largest_divisor(int n, int most) {
  int divisor = std::min(n, std::max(1, most));
  while (n % divisor != 0) --divisor;
  return divisor;
}

}  // namespace sb3lm
