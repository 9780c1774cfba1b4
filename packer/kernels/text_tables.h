// What tokenize.cc and detokenize.cc share: merges and token bytes in the form of Scratch lists.
// Everything here runs while packing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/tokenizer.h"
#include "scratch/ir.h"

namespace sb3lm {

/// By byte, from 0, the id that it starts as; -1 if it is dropped.
std::vector<scratch::Scalar> byte_ids(const Tokenizer& tokenizer);

/// Tokenizers whose text goes through sections (sections.h); for the others one list of letters is
/// enough.
bool in_sections(const Tokenizer& tokenizer);

/// Where pieces may be cut before merging so that the blocks work on short lists.
enum class Cut {
  none,                // the whole text is one piece
  every_space,         // a piece starts at each space
  space_after_letter,  // a piece starts at each space that follows something else
  gpt2,
};
/// The tokenizer's cut; for WordSplit::none the last kind but one where no merge can ever join
/// something and a following space, which makes that cut exact.
Cut piece_cut(const Tokenizer& tokenizer);

/// Merges grouped by their left symbol. Items count from 1.
struct MergeLists {
  enum class Result { is_rank, by_rank, by_merge };
  std::vector<scratch::Scalar> first;   // by left id: first of its merges; one more item ends it
  std::vector<scratch::Scalar> right;   // ascending inside a group
  std::vector<scratch::Scalar> rank;    // by merge: the result's id (is_rank) or dense from 1
  std::vector<scratch::Scalar> result;  // by rank or by merge; empty if it is the rank
  Result kind = Result::is_rank;
};
MergeLists merge_lists(const Tokenizer& tokenizer);

/// Merges as the pairs of symbols that tokens are made of, in the order of their ranks, where merge
/// k (from 0) makes token first_result + k. Most texts of these tokens need not be stored then.
struct MergePairs {
  int first_result = 0;
  std::vector<std::pair<int, int>> parts;  // left, right
};
/// None if they are too many for a list, have another order, or a token's text is neither what its
/// parts print together nor the letter that bytes make.
std::optional<MergePairs> merge_pairs(const Tokenizer& tokenizer);
/// A token that is stored as its bytes (see TokenTexts).
bool stands_in_bytes(const Token& token);

/// What each token prints. Tokens that are not UTF-8 by themselves, or have a backspace, have an
/// empty text and a place in `bytes`, where their number of bytes stands, then the bytes.
struct TokenTexts {
  std::vector<scratch::Scalar> text;      // by id
  std::vector<scratch::Scalar> bytes_at;  // by id, 0: print `text`; empty if `bytes` is
  std::vector<scratch::Scalar> bytes;

  /// False where `bytes` has only tokens that print nothing: the blocks do without then.
  bool any_bytes() const;
};
TokenTexts token_texts(const Tokenizer& tokenizer);

}  // namespace sb3lm
