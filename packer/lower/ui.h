// What a person sees of the project: backdrop, conversation, buttons, settings, a robot that talks.
// Uses only the public names of the engine (README.md, "Names inside the .sb3"), so another front
// end can replace it.
#pragma once

#include <string>
#include <vector>

#include "scratch/ir.h"

namespace sb3lm {

struct UiOptions {
  std::string title;
  std::string model_name;
  std::string parameters;     // "27.5 million parameters", may be empty
  bool has_tokenizer = true;  // false: lists of token ids and a button instead of a conversation
  bool is_chat = true;        // false: the model continues what the user begins
  /// Per cent of loading after which the vocabulary and then each layer is unpacked.
  std::vector<double> loading_marks{};
  std::vector<std::string>
      suggestions{};  // to begin with, at most kMostSuggestions; of a chat only
};

/// Adds the stage's backdrop and scripts, the list `interface texts`, and the sprites Screen and
/// Robot. The stage comes first in the program and already has the engine's public variables and
/// lists. Nothing is broadcast before the user answers, clicks or presses a key.
void add_chat_ui(scratch::Program& program, const UiOptions& options);

}  // namespace sb3lm
