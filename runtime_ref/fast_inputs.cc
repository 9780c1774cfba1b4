#include "runtime_ref/fast_inputs.h"

#include <memory>

namespace sb3lm::fast {
namespace {

constexpr std::size_t kLine = 64;  // bytes

}  // namespace

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
  // A load across two lines takes as long as two loads, and these bytes are loaded all the time.
  std::size_t space = 2 * stride_ * capacity_ + kLine;
  order.bytes.resize(space);
  void* start = order.bytes.data();
  start = std::align(kLine, space - kLine, start, space);
  for (std::size_t v = 0; v < capacity_; ++v) {
    std::int8_t* first = static_cast<std::int8_t*>(start) + 2 * stride_ * v;
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
