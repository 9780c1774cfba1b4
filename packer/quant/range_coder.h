// A range coder whose letters are the 94 that take one byte each in a JSON text: numbers near their
// entropy where every letter counts, deflate or not. Its state is a whole number below 2^39, so
// that blocks compute it exactly in doubles (quant/range_blocks.h). The state holds what is still
// to come: taking a symbol shrinks it by the symbol's frequency, and letters fill it up again.
// (Duda's rANS with letters in base 94; the writer goes backwards.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sb3lm {

inline constexpr int kRangeLetters = 94;
/// The letter of a value below kRangeLetters, and back; -1 if it is none of them.
char range_letter(int value);
int range_value(char letter);

/// Two letters: the numbers of codebooks.
inline constexpr int kRangeMaxWeight = kRangeLetters * kRangeLetters - 1;
/// The state's lower bound is this many times the number of slots, its upper one 94 times that.
inline constexpr std::uint64_t kRangeStates = 65536;
/// Slots are shared out by frequency, at least one for each symbol that occurs. Pairs of codes need
/// many, for the rarest are very rare.
inline double range_slots(int tuple) {
  return tuple == 2 ? 65000 : 16000;
}

/// What symbols of `tuple` codes each mean and how many slots they have. Codes are independent of
/// each other, so that the codebook says only how often each code comes: the first code that does,
/// then weights, two letters each.
struct RangeTable {
  int codes = 0;                           // of the alphabet
  std::vector<std::uint32_t> first, size;  // slots by symbol; the first code is the highest digit
  std::vector<std::uint32_t> symbol;       // by slot

  std::uint32_t slots() const { return static_cast<std::uint32_t>(symbol.size()); }
};

/// Codebook of codes that occur so often. `whole`: for all of them, in 2 + 2 * counts.size()
/// letters; else for those between the first and the last that occur.
std::string range_codebook(std::span<const std::int64_t> counts, bool whole);
/// Throws bad_input on a codebook that is none of an alphabet of `codes` codes.
RangeTable range_table(std::string_view codebook, int codes, int tuple);

/// Symbols in their order, then their letters.
class RangeWriter {
 public:
  explicit RangeWriter(const RangeTable& table) : table_(table) {}
  void put(std::uint32_t symbol);
  /// A byte as it is.
  void put_byte(std::uint32_t byte);
  std::string letters() const;

 private:
  struct Step {
    std::uint32_t first, size, of;
  };
  const RangeTable& table_;
  std::vector<Step> steps_;
};

/// Throws bad_input on letters that are none, or too few.
class RangeReader {
 public:
  RangeReader(std::string_view text, const RangeTable& table);
  std::uint32_t take();
  std::uint32_t take_byte();
  /// Letters that were read. Throws bad_input if a writer would not have ended here.
  std::size_t finish() const;

 private:
  void fill();

  std::string_view text_;
  const RangeTable& table_;
  std::uint64_t least_, state_ = 0;
  std::size_t at_ = 0;
};

}  // namespace sb3lm
