// When variables of a sprite hold something that is still needed. A variable may be read later than
// it is set, in another procedure or another script; everything that the blocks allow counts as
// possible.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "scratch/ir.h"

namespace sb3lm::scratch {

/// What a sprite's blocks do with its own variables.
class Liveness {
 public:
  explicit Liveness(const Target& sprite);

  /// Whether no script of the sprite may read what the variable held before the script began.
  bool is_temporary(std::size_t variable) const { return temporary_[variable]; }
  /// Whether setting one of the two may destroy what is still needed of the other.
  bool clash(std::size_t one, std::size_t other) const { return clashes_[one][other]; }

 private:
  std::vector<bool> temporary_;
  std::vector<std::vector<bool>> clashes_;
};

}  // namespace sb3lm::scratch
