// What a name rule does to a stored tensor so that it becomes the matrix of its role.
#pragma once

#include <string>

#include "import/family.h"
#include "model/tensor.h"

namespace sb3lm {

/// What errors name.
struct TensorName {
  const std::string& file;
  const std::string& name;
};

/// Transposes, takes rows (items of a vector), adds 1. `heads` are the query heads of its layer.
/// Throws unsupported where codes with a scale per row cannot be changed so.
Tensor obey_rule(const NameRule& rule, Tensor tensor, const TensorName& named, int heads);

/// So many rows of a matrix.
Tensor rows_from(Tensor tensor, int first, int rows);

/// One row of a matrix as a vector.
Tensor take_row(const Tensor& tensor, int row);

}  // namespace sb3lm
