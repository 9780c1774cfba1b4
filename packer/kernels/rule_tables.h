// What becomes of letters (model/text_rules.h) in the form of Scratch lists. Everything here runs
// while packing; rewriter.h has the blocks, unpack/read_rules.h reads the lists back.
#pragma once

#include <string>
#include <vector>

#include "kernels/letter_tables.h"
#include "model/tokenizer.h"
#include "scratch/ir.h"

namespace sb3lm {

/// A code point above this is a place in `texts`, from 1: of a count and so many code points.
inline constexpr char32_t kLastRuleLetter = kLastTyped;

struct RuleTables {
  std::vector<scratch::Scalar> rows;  // as those of LetterTables
  LetterTables::Table letters;  // by code point: what it becomes, itself if no rule says otherwise
  LetterTables::Table marks;    // by code point: its number among those that join, or 0
  std::vector<scratch::Scalar> texts;
  /// Ascending: pair_key of a letter and a mark; and what they join to.
  std::vector<scratch::Scalar> pairs, results;
  int mark_count = 0;
};
RuleTables rule_tables(const TextRules& rules);

/// Whole tokens by their first letter, the longest first: `places` says where in `texts` those
/// begin that start with the letter in `starts`. There lie, for each, its length, its letters and
/// its id; a 0 ends them.
struct WholeTables {
  std::vector<scratch::Scalar> starts, places, texts;
};
/// `typed`: a space in a token is its mark, U+2581, as in a text before the rules.
WholeTables whole_tables(const Tokenizer& tokenizer, bool typed);

/// Unused tokens that are taken apart, where their parts lie, and there how many ids and the ids.
struct UndoneTables {
  std::vector<scratch::Scalar> ids, places, parts;
};
UndoneTables undone_tables(const Tokenizer& tokenizer);

}  // namespace sb3lm
