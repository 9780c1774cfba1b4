// What GGUF files call the tensors of any family.
#pragma once

#include <span>

#include "import/family.h"

namespace sb3lm {

/// A family whose models are found in GGUF files has these beside its own.
std::span<const NameRule> gguf_names();

}  // namespace sb3lm
