// One model with float weights as other programs would store it.
#pragma once

#include <string>

#include "model/model.h"
#include "synth/float_model.h"
#include "synth/gguf_out.h"

namespace sb3lm::test {

/// The weights of an imported model; it must outlive them.
FloatModel float_model(const Model& model);

/// As Hugging Face's Llama: names, rows of q and k for half-split RoPE, config.json. The model's
/// own RoPE is interleaved, as llama2.c's.
struct HuggingFaceFiles {
  std::string safetensors, pytorch_model, config;
};
HuggingFaceFiles hugging_face_files(const FloatModel& model);

/// The entries for a tokenizer.bin of llama2.c with this many tokens.
GgufEntries gguf_tokenizer_of(std::string_view tokenizer_bin, int vocabulary);

}  // namespace sb3lm::test
