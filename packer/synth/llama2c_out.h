// llama2.c's checkpoints, as import/llama2c.cc describes them.
#pragma once

#include <string>

#include "synth/float_model.h"

namespace sb3lm {

/// Versions 0, 1, and 2 with groups of 32 weights, or of less where matrices are no whole groups.
std::string write_llama2c(const FloatModel& model, int version);

}  // namespace sb3lm
