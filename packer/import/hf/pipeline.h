// The stages of a tokenizer.json around its model: what becomes of a text before it is cut, how it
// is cut, which tokens are added, and what tokens print. The order of steps counts.
#pragma once

#include <string>

#include "import/json.h"
#include "model/tokenizer.h"

namespace sb3lm {

/// What the stages before the model say beside what Tokenizer holds.
struct TextStages {
  bool byte_level = false;
  bool marks = false;  // spaces are written as U+2581
};
/// normalizer and pre_tokenizer. Throws unsupported with the step, or the order of steps, that we
/// do not handle.
TextStages read_text_stages(const std::string& file, const Json& json, Tokenizer& out);

/// decoder, for such a text.
void read_decoder(const std::string& file, const Json& json, const TextStages& text,
                  Tokenizer& out);

/// post_processor: a token before the text. Those after it are left out, for a prompt goes on.
void read_post_processor(const std::string& file, const Json& json, Tokenizer& out);

}  // namespace sb3lm
