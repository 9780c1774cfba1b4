// Typed letters (model/typed_letters.h) in the form of Scratch lists. Everything here runs while
// packing; letter_reader.h and detokenize.cc have the blocks.
//
// A letter's place is its number among those below U+10000, from 1: small letters first, which are
// a text in the order in which Scratch compares them, then capitals, which are costumes.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "model/tokenizer.h"
#include "model/typed_letters.h"
#include "scratch/ir.h"

namespace sb3lm {

/// What a table says of a number is what the last row says whose key is not above it:
/// value + (number - key) * step. A row is three items.
struct LetterTables {
  static constexpr int kSmall = 1, kHalves = 2;
  /// Items of `_letters`: small letters with a space between each two, so that deflate copies three
  /// bytes at once and a letter costs little more than its last one; and pairs of halves. Pair k
  /// has the first half k, as far as there are such, and the second half k.
  std::vector<scratch::Scalar> texts;
  int small = 0;
  std::vector<std::string> capitals;  // names of costumes

  struct Table {
    int first = 0, last = 0;  // rows, from 0
  };
  /// By place the code point, with one more row at the end; by code point the id of a letter that
  /// is a symbol of its own, else -1 (empty for byte_bpe); by code point the class from 1 (empty
  /// unless text is cut by classes).
  Table places, ids, classes;
  std::vector<scratch::Scalar> rows;
};
using RowEntry = std::pair<double, double>;  // key and value
/// Appends rows that say what the entries do; those of one row rise by one of the steps, and the
/// first of the steps is any other row's.
LetterTables::Table append_rows(std::vector<scratch::Scalar>& rows,
                                const std::vector<RowEntry>& entries,
                                std::span<const double> steps);

/// `classes_of_cuts`: other classes than GPT-2's pattern tells apart (cut_tables.h).
LetterTables letter_tables(const TypedLetters& letters, const Tokenizer& tokenizer,
                           const std::vector<RowEntry>* classes_of_cuts = nullptr);

/// First and second halves that are told apart.
inline constexpr int kFirstHalves = (kLastTyped - 0xFFFF) / 1024, kSecondHalves = 1024;

/// The costume before those of the capitals.
inline constexpr const char* kNoCapital = "no capital";

}  // namespace sb3lm
