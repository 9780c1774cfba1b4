// From a Jinja chat template to the two turns of ours: it is rendered on messages whose texts are
// known, and what stands around them is the template.
#pragma once

#include <string>
#include <string_view>

#include "import/json.h"
#include "model/tokenizer.h"

namespace sb3lm::jinja {

/// `variables`: bos_token and so on, as the tokenizer's settings name them. Stops at the
/// tokenizer's ends and at the special token that follows a reply. Throws unsupported with the
/// name of what is not understood, bad_input for what is no template of a conversation.
ChatTemplate chat_of(const std::string& where, std::string_view source, const Json& variables,
                     const Tokenizer& tokenizer);

/// What people call the form of a first turn ("ChatML", "Llama 3"); "its own form" if it has no
/// name.
std::string_view name_of_form(const Tokenizer& tokenizer, const ChatTemplate& chat);

}  // namespace sb3lm::jinja
