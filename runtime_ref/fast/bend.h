// What bends the hidden numbers of a feed-forward, dense or an expert's.
#pragma once

#include "model/spec.h"
#include "runtime_ref/fast_kernels.h"

namespace sb3lm::fast {

struct Bend {
  const float* in;
  const float* by;  // null without a gate
  std::size_t size;
  float* out;  // may be `in`
};
/// out = f(in) * by, or f(in).
void bend(const Kernels& kernels, Activation activation, const Bend& vectors);

}  // namespace sb3lm::fast
