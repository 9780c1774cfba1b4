// Which hex digits stand for which symbol, so that a Huffman code per digit stream comes near the
// entropy of the symbols. A symbol is a few weights' codes together; cell (d1, .., dm) of a
// codebook is what m digits, each in a stream of its own, mean.
//
// A code has a cost, about the logarithm of how rare it is, and a digit the length of its Huffman
// code. The symbols in the order of their codes' costs together take the cells in the order of
// their digits' lengths together. So a few costs and lengths say which cell means what: they are
// the codebook's text. Lengths are found by coordinate descent over all complete Huffman codes of
// 16 digits and an end mark.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sb3lm {

inline constexpr int kNoSymbol = -1;

/// How many weights make a symbol, of how many codes each, and how many digits that takes.
struct SymbolShape {
  int weights = 0;
  int codes = 0;
  int digits = 0;

  int symbols() const;  // codes^weights, the first weight most significant; at most cells()
  int cells() const { return 1 << (4 * digits); }
};

struct Codebook {
  std::vector<int> costs;    // of each code, 0..255: eighths of a bit
  std::vector<int> lengths;  // 16 for each digit, 1..15, the last (least significant) digit's first
};

/// counts[s]: how often symbol s occurs. Deterministic: ties go to the lower index.
Codebook make_codebook(std::span<const std::int64_t> counts, const SymbolShape& shape);
/// The symbol of each cell, first digit most significant, or kNoSymbol.
std::vector<int> codebook_cells(const Codebook& book, const SymbolShape& shape);
/// Bits of all symbols under the lengths.
std::int64_t codebook_bits(const Codebook& book, const SymbolShape& shape,
                           std::span<const std::int64_t> counts);

/// Two hex digits for each cost, then one for each length.
std::string codebook_text(const Codebook& book);
int codebook_letters(const SymbolShape& shape);
/// Throws bad_input on another number of letters or other letters than hex digits.
Codebook read_codebook(std::string_view text, const SymbolShape& shape);

}  // namespace sb3lm
