// A model whose weights are floats, for writers of checkpoints.
#pragma once

#include <functional>
#include <vector>

#include "model/spec.h"
#include "model/tensor.h"

namespace sb3lm {

struct FloatModel {
  const ModelSpec& spec;
  std::function<std::vector<float>(const TensorKey&, Shape)> weights;  // row-major
};

}  // namespace sb3lm
