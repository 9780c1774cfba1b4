// The presets whose files PyTorch could have written: parameter golf's artifacts and Shard's
// models.
#pragma once

#include "synth/presets.h"

namespace sb3lm {

SynthModel golf592();
SynthModel golf585();
SynthModel golf_nb();
SynthModel shard_40m();
SynthModel tiny_golf592();
SynthModel tiny_golf585();
SynthModel tiny_golf_nb();
SynthModel tiny_shard();

}  // namespace sb3lm
