// The synthetic models, as data.
#pragma once

#include <map>
#include <string_view>
#include <vector>

#include "model/tensor.h"
#include "synth/synth.h"

namespace sb3lm {

enum class SynthFormat {
  packed,      // safetensors with SSMoELM's packed tensors
  llama2c,     // version 0
  gguf,        // Q8_0 and a tokenizer inside, as Qwen2's
  golf,        // parameter-golf's artifact: {"w", "m"}, zstd
  golf_clean,  // the first ones: int8_clean_per_row_v1, zlib
  mixture,     // float safetensors and config.json, as mixtures of custom code have them
  hf,          // the same, as Hugging Face's transformers has the spec's family
  shard,       // PyTorch's zip of {"cfg", "model"}, bfloat16
};

struct SynthModel {
  std::string_view name;
  ModelSpec spec;  // layers carry their original ids
  SynthFormat format = SynthFormat::packed;
  int embedding_bits = 3;
  std::map<Role, int> bits = {};  // instead of the usual ones; 16: plain
  double weight_std = 0;          // 0: 1 / sqrt(columns), so that small models are lively too
  bool describes_itself = true;   // spec and chat template in the metadata
  SynthLayout layout;
  FloatType float_type = FloatType::f32;  // mixture, hf
  bool fused = false;                     // shard: q, k and v in one tensor, gate and up in another
};

/// Throws usage, with the list of presets, if there is no such preset.
SynthModel synth_model(std::string_view preset);

/// Keeps the last layer and the first ones, and the passes over them. Throws usage unless there are
/// so many layers.
void keep_layers(SynthModel& model, int layers);

/// Stored bits of a matrix; 16 for a plain F16 tensor.
int stored_bits(const SynthModel& model, const TensorKey& key);

}  // namespace sb3lm
