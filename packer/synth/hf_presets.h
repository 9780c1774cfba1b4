// The synthetic models of the small Hugging Face families: tiny ones, and the published shapes.
#pragma once

#include "synth/presets.h"

namespace sb3lm {

SynthModel tiny_gpt2();
SynthModel tiny_neox();
SynthModel tiny_phi();
SynthModel tiny_gemma2();
SynthModel tiny_qwen3();
SynthModel tinystories_8m();
SynthModel pythia_14m();
SynthModel smollm_135m();

}  // namespace sb3lm
