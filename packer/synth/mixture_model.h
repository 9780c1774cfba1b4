// Synthetic mixtures of experts in float safetensors with a config.json, as custom code of
// transformers writes them.
#pragma once

#include "base/progress.h"
#include "synth/presets.h"

namespace sb3lm {

/// Checkpoint and config of a preset whose format is mixture. The weights are made straight into
/// the file's bytes, which are all that it takes in memory.
SyntheticFiles write_mixture_model(const SynthModel& model, const SynthOptions& options,
                                   Progress& progress);

}  // namespace sb3lm
