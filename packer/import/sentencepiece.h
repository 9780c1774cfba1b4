// A SentencePiece model, whatever file it stood in.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/file.h"
#include "model/tokenizer.h"

namespace sb3lm {

struct SentencePiece {
  enum class Type { normal = 1, unknown, control, user_defined, unused, byte };
  std::string text;
  float score = 0;
  Type type = Type::normal;
};

/// What a file says beside its pieces, with the format's defaults.
struct SentencePieceSettings {
  enum class Model { unigram = 1, bpe, word, characters };
  std::uint64_t model = 1;
  bool byte_fallback = false, suffix_spaces = false;
  std::string unknown_prints = " \u2047 ", begin = "<s>", end = "</s>";
  bool dummy_prefix = true, collapse_spaces = true, marks_spaces = true;
  std::string normaliser;  // its name
  Bytes table, table_back;
};

struct SentencePieceModel {
  std::vector<SentencePiece> pieces;  // by id
  SentencePieceSettings settings;
};

/// Throws bad_input, or unsupported with the name of what we do not handle; `file` in front.
Tokenizer tokenizer_of(const std::string& file, SentencePieceModel model);

}  // namespace sb3lm
