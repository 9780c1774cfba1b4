// A vocabulary of which some tokens are left out: which ones stay, and the model without the
// others.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/model.h"

namespace sb3lm {

/// The ids that stay, in order: what is special, bytes, what the chat template uses, and what the
/// choice asks for, each token with all that merging makes on the way to it. So a text that needs
/// no dropped token becomes the same pieces as before. Throws unsupported for a model without
/// tokenizer, usage for fewer tokens than must stay.
std::vector<int> chosen_tokens(const Model& model, const TokenChoice& choice);

/// Marks, by id, the tokens that a text becomes and all that merging makes on the way to them.
void mark_needed(const Tokenizer& tokenizer, std::string_view text, std::vector<bool>& marks);

/// Drops all other tokens with their rows and merges, and numbers the rest anew; model.kept says
/// which they were. `ids` are in order, each once. Throws bad_input for ids that there are not,
/// unsupported for models that read ids as numbers (bigrams), and for those that are pruned
/// already.
void keep_tokens(Model& model, const std::vector<int>& ids);

/// "kept 2,012 of 50,257 tokens; 12,345,678 weights less".
std::string kept_text(const Model& model);

}  // namespace sb3lm
