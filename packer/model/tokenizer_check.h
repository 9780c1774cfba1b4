// Whether two tokenizers do the same, as far as many texts can tell: what was read out of a
// finished project against what went into it.
#pragma once

#include <string>
#include <vector>

#include "model/model.h"

namespace sb3lm {

/// Texts of all kinds of tokens: every token's own text, several together, odd letters and spaces.
std::vector<std::string> texts_of_all_tokens(const Tokenizer& tokenizer);

/// How they differ, in words; empty: in nothing that was looked at.
std::string tokenizer_difference(const Tokenizer& a, const Tokenizer& b);

/// The same of all that is about texts: tokenizer, chat template, how tokens are chosen.
std::string text_model_difference(const Model& a, const Model& b);

}  // namespace sb3lm
