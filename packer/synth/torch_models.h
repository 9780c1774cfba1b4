// Synthetic models as files of PyTorch, with the names that their programs give to tensors.
#pragma once

#include <string>

#include "base/progress.h"
#include "synth/presets.h"

namespace sb3lm {

/// Of a preset whose format is golf, golf_clean or shard.
std::string write_torch_model(const SynthModel& model, const SynthOptions& options,
                              Progress& progress);

}  // namespace sb3lm
