// What readers of vocabularies with scores share: llama2.c's tokenizer.bin and SentencePiece's
// .model merge by text, not by a list.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/tokenizer.h"

namespace sb3lm {

struct ScoredPiece {
  std::string_view text;
  float score = 0;
  int id = 0;
};

/// Every way to put a piece together from two others, in the form of Tokenizer::merges. The highest
/// score is rank 0, equal scores share a rank. Of pieces with the same text the first counts.
std::vector<Merge> merges_by_score(const std::vector<ScoredPiece>& pieces);

/// The byte of "<0x0A>", -1 for any other text.
int fallback_byte(std::string_view text);

/// Whether a text is one UTF-8 sequence, by its first byte and those that continue it.
bool is_one_character(std::string_view text);

}  // namespace sb3lm
