// What matrices were multiplied with on some text, to the second order: how much an error in one
// weight matters beside an error in another one.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <vector>

#include "model/tensor.h"

namespace sb3lm {

/// Sum of x x^T over inputs x of `size` numbers; and of x (w - x)^T, where the input should have
/// been w.
class InputMoments {
 public:
  explicit InputMoments(std::size_t size) : size_(size), sums_(size * size, 0.0) {}

  /// Inputs are kept for a while and added together: many at once pass through memory once.
  void add(std::span<const double> input);
  /// Where some inputs are added so, the others count as what they should have been.
  void add(std::span<const double> input, std::span<const double> wanted);
  /// Adds what another one has seen.
  void add(const InputMoments& other);

  /// As if every input had, besides, been followed by independent numbers of the same mean size.
  void add_mean_diagonal();

  std::size_t size() const { return size_; }
  /// How many inputs were added.
  std::size_t inputs() const { return inputs_; }
  /// Row-major and symmetric.
  std::vector<double> sums() const;
  /// Of x (w - x)^T, row-major; empty if no input should have been another.
  const std::vector<double>& shifts() const;

 private:
  void flush() const;

  std::size_t size_, inputs_ = 0;
  mutable std::vector<double> sums_;  // columns from the diagonal on
  mutable std::vector<double> shifts_;
  mutable std::vector<double> waiting_, waiting_off_;  // w - x beside x, for the first ones
};

/// By the first of the matrices that read one vector: q for q, k and v, up for gate and up.
using Calibration = std::map<TensorKey, InputMoments>;
void add_to(Calibration& sums, const Calibration& others);
TensorKey calibration_key(TensorKey key);

}  // namespace sb3lm
