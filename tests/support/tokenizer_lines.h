// The lines of tests/tokenizer/lines.txt and models of SentencePiece that were trained for them.
#pragma once

#include <string>
#include <vector>

#include "model/tokenizer.h"

namespace sb3lm::test {

/// Texts that tokenizers find hard. `source` is the folder of the sources.
std::vector<std::string> tokenizer_lines(const std::string& source);

/// With U+FFFD for control characters, which a project's file cannot hold.
std::string without_controls(const std::string& line);
/// Every so many of the lines, without control characters.
std::vector<std::string> project_lines(const std::string& source, std::size_t step);

/// tests/fixtures/sentencepiece/NAME.model.
Tokenizer sentencepiece_fixture(const std::string& source, const std::string& name);

/// FNV-1a of ids as text, in hexadecimal digits: what NAME.ids has of each line.
std::string digest_of(const std::vector<int>& ids);

}  // namespace sb3lm::test
