// Cosines and sines of a batch's positions: computed once for all steps that turn alike.
#pragma once

#include <cstddef>
#include <vector>

#include "model/spec.h"

namespace sb3lm::fast {

class Rotations {
 public:
  explicit Rotations(const RopeSpec& rope);
  const RopeSpec& rope() const { return rope_; }

  /// For `count` positions from `first` on.
  void turn_to(std::size_t first, std::size_t count);
  /// (a, b) -> (a cos - b sin, a sin + b cos) for every pair of a head, at `first` + t.
  void turn(std::size_t t, float* head) const;

 private:
  struct Angles {
    std::vector<float> cosine, sine;
  };

  RopeSpec rope_;
  std::vector<double> turns_;  // radians of each pair per position
  std::size_t first_ = 0, count_ = 0;
  std::vector<Angles> angles_;
};

}  // namespace sb3lm::fast
