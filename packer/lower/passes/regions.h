// Where each vector lies among the activations: two that are never needed at the same time share a
// place.
#pragma once

#include <vector>

#include "model/steps.h"

namespace sb3lm {

/// First positions in Workspace::act.
struct Regions {
  std::vector<int> at;        // of each slot
  std::vector<int> stride;    // of a slot's copies
  std::vector<bool> changes;  // what a slot holds has several sizes, so zeros must follow it anew
  int scores = 0;             // of attention
  int size = 0;               // of all

  int of(SlotId slot) const { return at[static_cast<std::size_t>(slot)]; }
};

/// `scores`: items that attention needs for itself.
Regions place_slots(const ForwardSteps& forward, int scores);

/// Items that a vector of `size` takes which a matrix reads: table groups and padded dot products
/// may read past its end, as zeros.
int padded_size(int size);

}  // namespace sb3lm
