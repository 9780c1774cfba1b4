// Runs a model on texts to see what its matrices multiply: what GPTQ rounds them for.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "base/progress.h"
#include "model/model.h"
#include "quant/moments.h"

namespace sb3lm {

/// Pieces of text; each is run from an empty cache.
using Windows = std::vector<std::vector<int>>;

/// Windows take turns in lanes, each with sums of its own, which are added at the end: whatever the
/// number of threads, numbers are added in one order.
inline constexpr std::size_t kCalibrationLanes = 2;

struct CalibrationOptions {
  int tokens = 4096;
  int window = 256;  // positions that a piece has at most; less if the model's context is shorter
  int threads = 0;   // 0: one per processor; the sums do not depend on it
  double seed = 20100;  // of what the model writes
  /// Whose inputs are wanted, by calibration_key; nothing: of all matrices but routers.
  std::function<bool(const TensorKey&)> wanted = {};
};

/// The beginning of a text in windows.
Windows cut_text(const Model& model, std::span<const int> text, const CalibrationOptions& options);

/// Runs the windows. If there are none, the model writes them, at temperature 1, from its beginning
/// of text or, without one, from tokens over all of the vocabulary. Throws usage for ids outside
/// the vocabulary.
Calibration calibrate(const Model& model, Windows& text, const CalibrationOptions& options,
                      Progress& progress);

}  // namespace sb3lm
