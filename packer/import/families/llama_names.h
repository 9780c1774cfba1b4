// What Llama and most families after it call the matrices of a layer, in Hugging Face's files. What
// their norms mean differs.
#pragma once

#include <span>

#include "import/family.h"

namespace sb3lm {

std::span<const NameRule> llama_names();

}  // namespace sb3lm
