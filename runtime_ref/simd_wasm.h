// Products of packed matrices for WebAssembly, which multiplies 16 bits at once but no bytes.
#pragma once

namespace sb3lm::fast {

struct FixedProduct;

/// Kernels::multiply.
void multiply_wasm(const FixedProduct& job);

}  // namespace sb3lm::fast
