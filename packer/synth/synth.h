// Checkpoints with random weights in the formats that we read, for tests and for work without the
// real files. The same options give the same bytes on one machine's maths library.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/progress.h"

namespace sb3lm {

/// How a packed file spells and packs what it holds; the weights do not depend on it.
struct SynthLayout {
  bool hf_names = false;  // layers.0.self_attn.q_proj instead of layers.0.attention.wq
  bool stacked = false;   // the experts of a layer in one 3-D tensor
  bool slots = false;     // layers numbered by position, not by their original ids
  bool flipped = false;   // every packing convention the other way round
};

struct SynthOptions {
  std::string preset;
  std::uint64_t seed = 1;
  bool student5 = false;              // Student-t(5) weights instead of normal ones
  std::optional<SynthLayout> layout;  // instead of the preset's
  int layers = 0;                     // stored layers, at most the preset's; 0: all of them
  int vocabulary = 0;                 // at most the preset's; 0: the same
};

struct SynthPreset {
  std::string_view name;
  std::string_view description;
  bool full_scale = false;  // of the size of a published model
};
std::span<const SynthPreset> synth_presets();

struct SyntheticFiles {
  std::string checkpoint = {};
  std::string checkpoint_name = {};  // one that such a file usually has: "model.safetensors"
  std::string tokenizer = {};
  std::string tokenizer_name = {};  // "tokenizer.json" or "tokenizer.bin"; empty: it is inside
  std::string sidecar = {};         // conventions; empty if the defaults hold
  std::string config = {};          // config.json; empty if the format needs none
};

/// Throws usage, with the list of presets, if there is no such preset.
SyntheticFiles make_synthetic(const SynthOptions& options, Progress& progress);

}  // namespace sb3lm
