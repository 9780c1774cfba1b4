// Which hex digits stand for which symbol, so that a Huffman code per digit stream comes near the
// entropy of the symbols. A symbol is a few weights' codes together; cell (d1, .., dm) of a
// codebook is what m digits, each in a stream of its own, mean.
//
// The cost of a cell is the sum of its digits' code lengths. For given lengths the best assignment
// gives the commonest symbols the cheapest cells; lengths are found by coordinate descent over all
// complete Huffman codes of 16 digits and an end mark.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sb3lm {

inline constexpr int kNoSymbol = -1;

struct Codebook {
  std::vector<int> cells;  // symbol of each cell, first digit most significant, or kNoSymbol
  std::int64_t bits = 0;   // of all symbols under the lengths that the cells were sorted by
};

/// counts[s]: how often symbol s occurs, at most 16^digits symbols. Deterministic: ties go to the
/// lower index.
Codebook make_codebook(std::span<const std::int64_t> counts, int digits);

}  // namespace sb3lm
