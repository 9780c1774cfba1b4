// Products of matrices and vectors, shared by the workers.
#pragma once

#include <span>

#include "runtime_ref/fast/op.h"
#include "runtime_ref/fast_inputs.h"
#include "runtime_ref/workers.h"

namespace sb3lm::fast {

/// Enough to read weights once for many tokens; more would only need more memory.
constexpr std::size_t kMostTokens = 64;

/// y[i * y_stride + r] = row r of w times vector which[i] of `from`; kMostTokens at most.
struct Product {
  const PackedMatrix* w;
  const Inputs* from;
  Tokens which;
  float* y;  // for which[0]
  std::size_t y_stride;
};
/// In any order: none may read what another one writes.
void multiply(const Kernels& kernels, Workers& workers, std::span<const Product> products);

}  // namespace sb3lm::fast
