// What the files beside a checkpoint say about talking with the model: chat template, beginning and
// end of texts, how tokens are chosen. Hugging Face's programs write tokenizer_config.json,
// chat_template.jinja and generation_config.json.
#pragma once

#include "import/import.h"

namespace sb3lm {

/// Ends of text by config.json, generation_config.json and tokenizer_config.json join the
/// tokenizer's own; a bos is put in front if they say so. Sampling as generation_config.json
/// recommends it. Throws bad_input if a file says nothing that can be.
void attach_generation(const CheckpointFiles& files, Model& model);

/// --chat-template, else the checkpoint's metadata, chat_template.jinja, tokenizer_config.json or
/// the preset for the model's shape. What is found but not understood becomes a note, unless the
/// user named it: then it throws.
void attach_chat(const CheckpointFiles& files, Model& model);

}  // namespace sb3lm
