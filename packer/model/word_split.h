// Cutting text into the pieces that merges never cross.
#pragma once

#include <string_view>
#include <vector>

#include "model/tokenizer.h"

namespace sb3lm {

/// The pieces in order; together they are the text, unless steps drop some.
std::vector<std::string_view> split_words(const Tokenizer& tokenizer, std::string_view text);
std::vector<std::string_view> split_words(WordSplit split, std::string_view text);

}  // namespace sb3lm
