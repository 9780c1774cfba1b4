// Seeded random numbers, written out because the standard distributions differ between libraries.
#pragma once

#include <cstdint>

#include "model/tensor.h"

namespace sb3lm {

class Random {
 public:
  explicit Random(std::uint64_t seed);

  std::uint64_t bits();
  /// In (0, 1], never 0.
  double uniform();
  double normal();
  /// Student-t with 5 degrees of freedom, scaled to variance 1.
  double student5();

 private:
  std::uint64_t state_[4];
  double spare_ = 0;
  bool has_spare_ = false;
};

/// A generator for one tensor, so that tensors do not depend on the order they are made in.
/// `key.layer` is the layer's original id.
Random random_for(std::uint64_t seed, const TensorKey& key);

}  // namespace sb3lm
