// Weights as text in lists, and back. An encoding owns both sides: native pack and unpack, and the
// blocks that decode it at start-up. Adding one is a file and a row in encoding.cc's registry; the
// tests loop over the registry.
#pragma once

#include <array>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/tensor.h"
#include "scratch/script.h"

namespace sb3lm {

/// Where the decoding blocks read and write.
struct DecodeLists {
  blocks::List<blocks::Str> text;    // items of letters
  blocks::List<blocks::Num> codes;   // table indices: byte + 256 * group + 1
  blocks::List<blocks::Num> scales;  // numbers
  blocks::List<blocks::Num> spread;  // item hh (hex) + 1: see spread_table
};

/// decode(item, letter, rows, at, groups): decodes `rows` rows of `groups` groups of 8 weights from
/// the given letter (from 1) of the text items starting at `item`, to list positions from `at`.
/// Where rows have no fixed number of letters, letter 0 goes on behind the last call's rows, and -1
/// begins a new tensor there.
using DecodeProc = blocks::Proc<blocks::Num, blocks::Num, blocks::Num, blocks::Num, blocks::Num>;

/// Columns padded to whole groups of 8; padding has code 0 and meets inputs that are 0.
inline int group_count(int cols) {
  return (cols + 7) / 8;
}

/// Text form of quantised matrices, row after row.
struct CodeEncoding {
  std::string_view name;
  /// Number of text streams that a tensor of this width is spread over; 0: cannot hold it.
  int (*streams)(int bits);
  /// Letters per row in each stream, 0: this differs from row to row.
  int (*row_letters)(int bits, int groups);
  /// Letters of the text that says what the others mean, 0: there is none. It fills the item before
  /// the first stream's.
  int (*codebook_letters)(int bits);
  /// That text, for all of a model's tensors of one width.
  std::string (*codebook)(int bits, std::span<const CodedTensor* const> tensors);
  /// Appends the tensor to `streams` strings.
  void (*pack)(const CodedTensor& tensor, std::string_view codebook,
               std::span<std::string> streams);
  /// Fills tensor.codes (shape and format are set) from letters that start at the tensor's first.
  /// Returns how many letters of each stream it took. Throws bad_input on a letter that is not in
  /// the alphabet, or too few letters.
  std::size_t (*unpack)(std::span<const std::string_view> streams, std::string_view codebook,
                        CodedTensor& tensor);
  /// decode(item, letter, rows, at, groups) for this width of codes.
  DecodeProc (*emit_decode)(blocks::Sprite& engine, const DecodeLists& lists, int bits);
};

/// Which encoding holds the codes of which width, by name.
struct EncodingPlan {
  std::string usual = "digits";
  std::map<int, std::string> by_bits = {};  // other widths' than the usual ones

  EncodingPlan() = default;
  EncodingPlan(std::string name) : usual(std::move(name)) {}
  EncodingPlan(const char* name) : usual(name) {}
  const std::string& of(int bits) const {
    const auto found = by_bits.find(bits);
    return found == by_bits.end() ? usual : found->second;
  }
};

std::span<const CodeEncoding> code_encodings();
/// Throws unsupported if there is none of that name.
const CodeEncoding& code_encoding(std::string_view name);

/// The spread table of the decoders: item 16 * a + b + 1 holds, for the 4-bit codes a and b of two
/// neighbouring weights, sum over k = 0..3 of (2 * bit_k(a) + bit_k(b)) * 8192^k, so that four
/// pairs shifted together give the bytes of four planes (docs/formats.md, "Text encodings").
std::vector<scratch::Scalar> spread_table();

/// Bit patterns of binary16 numbers, less the base of their role, as hex digits: one letter per
/// number in each of four streams, the most significant digit's first. High digits are alike, so
/// each stream has statistics of its own, and so has each kind of numbers.
inline constexpr int kHalfStreams = 4;
enum class HalvesKind { scales, matrices, vectors };  // row scales; routers and the like; norms
inline constexpr int kHalvesKinds = 3;
HalvesKind halves_kind(const Tensor& tensor);
/// A base for each role's numbers such that the streams of all of them together take fewest bits:
/// either the smallest number of each, or what puts their averages into the same place.
std::vector<int> halves_bases(std::span<const std::vector<std::uint16_t>> roles);
void pack_halves(std::span<const std::uint16_t> halves, int base, std::span<std::string> streams);
/// Throws bad_input like CodeEncoding::unpack.
std::vector<std::uint16_t> unpack_halves(std::span<const std::string_view> streams, int base,
                                         std::size_t count);
/// decode(item, letter, count, at, factor, base): scales from `at` = factor * value.
using HalvesProc =
    blocks::Proc<blocks::Num, blocks::Num, blocks::Num, blocks::Num, blocks::Num, blocks::Num>;
HalvesProc emit_decode_halves(blocks::Sprite& engine, const DecodeLists& lists);

/// Code of a weight, 0 in the columns that fill up the last group.
std::uint8_t padded_code(const CodedTensor& tensor, int row, int col);
/// Throws bad_input if a stream has fewer letters than the tensor's rows take.
void require_letters(std::span<const std::string_view> streams, int rows, int row_letters);

inline constexpr char kHexDigits[] = "0123456789abcdef";
/// 0..15, throws bad_input for other letters.
int hex_digit(char letter);

}  // namespace sb3lm
