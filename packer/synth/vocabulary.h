// A made-up BPE vocabulary of pronounceable words, in the file formats that we read.
#pragma once

#include <string>

namespace sb3lm {

/// tokenizer.json: 7 special tokens, 256 bytes, printable ASCII, then merges; byte fallback.
std::string spaced_tokenizer_json(int vocabulary);
/// tokenizer.json: 7 special tokens, 256 symbols for bytes, then merges; GPT-2's pattern.
std::string byte_level_tokenizer_json(int vocabulary);
/// llama2.c's tokenizer.bin.
std::string tokenizer_bin(int vocabulary);

}  // namespace sb3lm
