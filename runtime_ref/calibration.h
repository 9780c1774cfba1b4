// Runs a model on texts to see what its matrices multiply: what GPTQ rounds them for.
#pragma once

#include <span>

#include "base/progress.h"
#include "model/model.h"
#include "quant/moments.h"

namespace sb3lm {

struct CalibrationOptions {
  int tokens = 4096;
  int window = 256;  // positions that a text has at most; less if the model's context is shorter
  int threads = 0;   // 0: one per processor; the sums do not depend on it
};

/// Of texts that the model writes itself, at temperature 1, from its beginning of text or, without
/// one, from tokens over all of the vocabulary.
Calibration calibrate(const Model& model, const CalibrationOptions& options, Progress& progress);

/// Of a text, cut into windows. Throws usage for ids outside the vocabulary.
Calibration calibrate(const Model& model, std::span<const int> text,
                      const CalibrationOptions& options, Progress& progress);

}  // namespace sb3lm
