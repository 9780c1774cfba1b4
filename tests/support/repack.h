// The same weights under another convention: what a checkpoint looks like whose author chose
// otherwise.
#pragma once

#include <string>

namespace sb3lm::test {

/// A packed safetensors file that must be read with the other value of `convention` to give the
/// model that `bytes` gives with the present one: "bit-order", "sign", "nibble-order",
/// "nibble-code" and "embedding-code" (offset8 becomes twos and the reverse), "swiglu",
/// "rope-sign", or "rope" (half-split becomes interleaved). Unchanged if the file holds nothing
/// that the convention is about. Throws bug for any other convention.
std::string repacked(const std::string& bytes, const std::string& convention, int head_size);

}  // namespace sb3lm::test
