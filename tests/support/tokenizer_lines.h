// The lines of tests/tokenizer/lines.txt and models of SentencePiece that were trained for them.
#pragma once

#include <string>
#include <vector>

#include "model/tokenizer.h"

namespace sb3lm::test {

/// Texts that tokenizers find hard. `source` is the folder of the sources.
std::vector<std::string> tokenizer_lines(const std::string& source);

/// tests/fixtures/sentencepiece/NAME.model.
Tokenizer sentencepiece_fixture(const std::string& source, const std::string& name);

/// FNV-1a of ids as text, in hexadecimal digits: what NAME.ids has of each line.
std::string digest_of(const std::vector<int>& ids);

}  // namespace sb3lm::test
