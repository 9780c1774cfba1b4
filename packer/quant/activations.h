// What flows through a model's matrices on some text: how much an error in each weight matters.
#pragma once

#include <map>
#include <vector>

#include "model/tensor.h"

namespace sb3lm {

struct ActivationStats {
  int tokens = 0;
  /// Per matrix, for each column, the sum of the squares of what it was multiplied with.
  std::map<TensorKey, std::vector<double>> input_power;
  /// Per matrix that writes to the residual stream (o, down), the sum over tokens and passes of
  /// |what it added|^2 / |the stream|^2.
  std::map<TensorKey, double> stream_share;
};

}  // namespace sb3lm
