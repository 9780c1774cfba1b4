// Vectors on their way into matrices: as floats, and rounded to fixed point in the orders of
// columns that the matrices want.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "runtime_ref/fast_kernels.h"

namespace sb3lm::fast {

class Inputs {
 public:
  /// Room for `capacity` vectors of at most `size` elements.
  Inputs(std::size_t size, std::size_t capacity);

  /// Call for every matrix that will read these vectors, before the first prepare.
  void serve(const PackedMatrix& matrix);

  float* row(std::size_t v) { return values_.data() + v * stride_; }
  const float* row(std::size_t v) const { return values_.data() + v * stride_; }

  /// Elements from one row to the next.
  std::size_t stride() const { return stride_; }

  /// Makes the fixed-point forms of vector `v`, of which `size` elements count.
  void prepare(const Kernels& kernels, std::size_t v, std::size_t size);

  /// Fixed-point forms of all vectors, from number 0.
  const Planes* planes(ColumnOrder order) const {
    return orders_[static_cast<std::size_t>(order)].planes.data();
  }
  const FixedScale* scales() const { return scales_.data(); }
  const float* const* rows() const { return rows_.data(); }

 private:
  struct Order {
    std::vector<std::int8_t> bytes;
    std::vector<Planes> planes;  // empty if no matrix wants this order
  };

  std::size_t stride_;  // elements of a vector
  std::size_t capacity_;
  std::vector<float> values_;
  std::vector<const float*> rows_;
  std::vector<FixedScale> scales_;
  std::vector<std::int16_t> fixed_;  // of the vector being prepared
  std::array<Order, kOrders> orders_;
};

}  // namespace sb3lm::fast
