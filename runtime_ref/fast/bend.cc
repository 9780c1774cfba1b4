#include "runtime_ref/fast/bend.h"

#include "runtime_ref/ops.h"

namespace sb3lm::fast {

void bend(const Kernels& kernels, Activation activation, const Bend& vectors) {
  const auto& [in, by, size, out] = vectors;
  if (by != nullptr && activation == Activation::silu) {
    kernels.swiglu(in, by, size, out);
    return;
  }
  for (std::size_t i = 0; i < size; ++i) {
    const auto bent = static_cast<float>(ops::activate(activation, in[i]));
    out[i] = by != nullptr ? bent * by[i] : bent;
  }
}

}  // namespace sb3lm::fast
