// The families that Hugging Face's transformers has, as their published files are: float
// safetensors and a config.json.
#pragma once

#include "base/progress.h"
#include "synth/presets.h"

namespace sb3lm {

/// The spec's family says what tensors and fields are called. Float weights are its only ones.
SyntheticFiles write_hf_model(const SynthModel& model, const SynthOptions& options,
                              Progress& progress);

}  // namespace sb3lm
