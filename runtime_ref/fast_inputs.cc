#include "runtime_ref/fast_inputs.h"

namespace sb3lm::fast {

Inputs::Inputs(std::size_t size, std::size_t capacity)
    : stride_(padded_to(size, kBlock)),
      capacity_(capacity),
      values_(stride_ * capacity),
      scales_(capacity),
      fixed_(stride_) {
  for (std::size_t v = 0; v < capacity; ++v) rows_.push_back(row(v));
}

void Inputs::serve(const PackedMatrix& matrix) {
  if (matrix.storage == PackedStorage::floats) return;
  Order& order = orders_[static_cast<std::size_t>(column_order(matrix))];
  if (!order.planes.empty()) return;
  order.bytes.resize(2 * stride_ * capacity_);
  for (std::size_t v = 0; v < capacity_; ++v) {
    std::int8_t* first = order.bytes.data() + 2 * stride_ * v;
    order.planes.push_back({first, first + stride_});
  }
}

void Inputs::prepare(const Kernels& kernels, std::size_t v, std::size_t size) {
  bool first = true;
  for (std::size_t i = 0; i < kOrders; ++i) {
    if (orders_[i].planes.empty()) continue;
    if (first) scales_[v] = kernels.to_fixed(row(v), size, fixed_.data());
    first = false;
    kernels.to_planes(fixed_.data(), padded_to(size, kBlock), static_cast<ColumnOrder>(i),
                      orders_[i].planes[v]);
  }
}

}  // namespace sb3lm::fast
