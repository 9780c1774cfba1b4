// Parts of the forward pass that are alike but for where their weights and states lie become one
// procedure, which is told where they begin.
#pragma once

#include <vector>

#include "lower/layout.h"

namespace sb3lm {

/// Where the weights of a part begin: its first codes and its first numbers, 0 if it has none.
struct Begin {
  std::int64_t codes_at = 0, scales_at = 0;
};
Begin begin_of(const Layout& layout, const Part& part);

/// The state that a part reads and writes, or kNoState.
StateId state_of(const Part& part);

/// The same storage, shape and format; places may differ.
bool same_kind(const TensorPlace& a, const TensorPlace& b);

/// For each part, the first one that it is alike to: its own number if it is the first.
std::vector<std::size_t> first_alike(const Layout& layout);

}  // namespace sb3lm
