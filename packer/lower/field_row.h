// Tables in a list of a project: rows of numbers, whose places an enumeration names for both those
// who write the list and the blocks that read it.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "scratch/ir.h"

namespace sb3lm {

/// Items of a row; `Field` is an enumeration that ends with `end`.
template <class Field>
inline constexpr int kFieldCount = static_cast<int>(Field::end);

template <class Field>
class FieldRow {
 public:
  template <class Number>
  void put(Field field, Number value) {
    values_[static_cast<std::size_t>(field)] = static_cast<double>(value);
  }
  void append_to(std::vector<scratch::Scalar>& items) const {
    items.insert(items.end(), values_.begin(), values_.end());
  }

 private:
  std::array<double, kFieldCount<Field>> values_{};
};

}  // namespace sb3lm
