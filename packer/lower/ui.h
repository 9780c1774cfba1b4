// What a person sees of the project: backdrop, conversation, question box and buttons. Uses only
// the public names of the engine (README.md, "Names inside the .sb3"), so another front end can
// replace it.
#pragma once

#include <string>

#include "scratch/ir.h"

namespace sb3lm {

struct UiOptions {
  std::string title;
  std::string model_name;
  std::string parameters;     // "27.5 million parameters", may be empty
  bool has_tokenizer = true;  // false: lists of token ids and a button instead of a conversation
  bool is_chat = true;        // false: the model continues what the user begins
};

/// Adds the stage's backdrop, the scripts, the monitors and the button sprites. The stage comes
/// first in the program and already has the engine's public variables and lists; the list
/// `conversation` that it adds shows the end of `transcript` cut into lines, as Scratch never
/// wraps a list's items. Nothing is broadcast before the user answers or clicks.
void add_chat_ui(scratch::Program& program, const UiOptions& options);

}  // namespace sb3lm
