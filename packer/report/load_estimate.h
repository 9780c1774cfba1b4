// How long a project takes from the green flag until its weights are decoded.
#pragma once

#include <optional>

#include "unpack/unpack.h"

namespace sb3lm {

struct LoadEstimate {
  double turbowarp = 0;  // seconds
  double scratch = 0;    // scratch-vm in a browser
};

/// From measured costs per group of eight weights (load_cost.def); nothing if the project holds an
/// encoding that has not been measured, or none.
std::optional<LoadEstimate> estimate_load(const Unpacked& unpacked);

}  // namespace sb3lm
