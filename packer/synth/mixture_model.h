// Synthetic mixtures of experts in float safetensors with a config.json, as custom code of
// transformers writes them.
#pragma once

#include <string>

#include "base/progress.h"
#include "synth/presets.h"

namespace sb3lm {

struct MixtureFiles {
  std::string checkpoint, config;
};

/// Of a preset whose format is mixture. The weights are made straight into the file's bytes, which
/// are all that it takes in memory.
MixtureFiles write_mixture_model(const SynthModel& model, const SynthOptions& options,
                                 Progress& progress);

}  // namespace sb3lm
