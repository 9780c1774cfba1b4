// Model to Scratch program: the engine sprite with its lists and procedures, the stage with the
// public names of README.md, "Names inside the .sb3", the user interface.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/workspace.h"
#include "model/model.h"
#include "quant/encoding.h"
#include "scratch/ir.h"

namespace sb3lm {

/// The sprite that holds everything of the model.
inline constexpr const char* kEngineName = "engine";

struct LowerOptions {
  int context = 0;        // positions in the KV cache; 0: the model's, at most 2,048
  EncodingPlan encoding;  // text form of the codes
  std::string title;
  Tune tune = Tune::both;
  Kernel kernel = Kernel::tables;          // naive: only with encoding hex; columns: with range
  std::string version;                     // of this program, for `model info`
  bool chat_ui = true;                     // false: only the engine and the public names
  bool shares_project = false;             // the program will be put into somebody else's project
  FloatBits bits;                          // --bits as given, for `model info`
  std::vector<std::string> suggestions{};  // questions that the chat offers, at most 4
  bool all_letters = false;                // those that can be typed, whatever they cost
  std::int64_t most_codes = 0;             // items of a list of codes; 0: as many as players hold
  std::int64_t most_letters = 0;           // of the weights' text; 0: as many as players read
};

/// Throws unsupported for what the blocks cannot hold, and mismatch, with what would make it fit,
/// for more text than players read.
scratch::Program lower(const Model& model, const LowerOptions& options);

}  // namespace sb3lm
