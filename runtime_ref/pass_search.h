// Which layer a model can do without, if a neighbour runs in its place: tried, without training.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/progress.h"
#include "model/model.h"

namespace sb3lm {

struct PassTrial {
  int dropped = 0, instead = 0;  // LayerSpec::id
  std::vector<int> passes;       // for take_passes
  std::int64_t weights = 0;      // that the model has less
  double perplexity = 0;
};

struct PassSearch {
  int tokens = 0;
  double perplexity = 0;          // of the model as it is
  std::vector<PassTrial> trials;  // the best first
};

/// Drops each layer in turn and runs the stored layer before or after it in its place, in all its
/// passes. Runs the tokens (at most as many as the context) once for each, on `threads` threads (0:
/// one per processor), which change no number. Throws usage for fewer than 2 tokens, unsupported
/// for models of one layer and as take_passes does.
PassSearch search_passes(const Model& model, std::span<const int> tokens, int threads,
                         Progress& progress);

}  // namespace sb3lm
