// Small models with random weights of the kinds that Hugging Face's small families are, without
// going through a checkpoint.
#pragma once

#include <string>
#include <vector>

#include "model/model.h"

namespace sb3lm::test {

struct SmallFamily {
  std::string name;
  ModelSpec spec;
};

/// What GPT-2, GPT-Neo, GPT-NeoX, Phi, Gemma 2, Qwen3, Llama 3.2 and OPT have that Llama has not,
/// in widths that are no multiples of 8.
std::vector<SmallFamily> small_families();

}  // namespace sb3lm::test
