// Small tokenizers of every kind, trained on a few lines of text.
#pragma once

#include <string>
#include <vector>

#include "model/tokenizer.h"

namespace sb3lm::test {

extern const char* const kCorpus;

/// llama2.c's way: no cut, bytes as fallback, a space in front; merges cross spaces, and several
/// results share a rank.
Tokenizer uncut_tokenizer();
/// The same, but no token has something and then a space inside.
Tokenizer cuttable_tokenizer();
/// Cut before spaces; two bytes have no token and are dropped.
Tokenizer word_tokenizer();
/// Byte-level; every token but bytes and an end mark is made by one merge.
Tokenizer paired_byte_tokenizer();
/// Byte-level; several merges with ranks of their own give the same token.
Tokenizer byte_tokenizer();

/// The patterns that models cut text with.
inline constexpr const char kLlama3Pattern[] =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
inline constexpr const char kQwen2Pattern[] =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
/// Byte-level, cut by these, one after the other.
Tokenizer pattern_tokenizer(const std::vector<std::string>& patterns);

}  // namespace sb3lm::test
