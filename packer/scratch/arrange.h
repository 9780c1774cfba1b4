// Coordinates for the editor's workspace: scripts in columns, their comments beside the head, notes
// on top. Sizes are estimates of what the editor draws, on the large side, so that nothing
// overlaps.
#pragma once

#include <vector>

#include "scratch/ir.h"

namespace sb3lm::scratch {

struct Box {
  double x = 0, y = 0, width = 0, height = 0;
};

/// A script's top block, and its comment's bubble if it has one.
struct Spot {
  Box script, comment;
};

struct Arrangement {
  std::vector<Spot> procedures, scripts;  // in the target's order
  std::vector<Box> notes;
};

/// Follows the shelves. Never fails; blocks nested deeper than people read count as flat.
Arrangement arrange(const Target& target);

}  // namespace sb3lm::scratch
