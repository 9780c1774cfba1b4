// Small tokenizers of every kind, trained on a few lines of text.
#pragma once

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

}  // namespace sb3lm::test
