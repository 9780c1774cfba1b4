#include "quant/range.h"

#include "base/error.h"
#include "quant/range_blocks.h"
#include "quant/range_coder.h"

namespace sb3lm {
namespace {

constexpr int kWidest = 6;  // six planes of bytes fit a double
// A letter has 6.6 bits, and a symbol 1 / 46,000 of a bit where all slots but one are its own.
constexpr std::size_t kMostSymbolsPerLetter = std::size_t{1} << 19;

// The symbol of the codes from `col` on.
std::uint32_t symbol_at(const CodedTensor& tensor, int row, int col) {
  std::uint32_t symbol = 0;
  for (int k = 0; k < range_tuple(tensor.format.bits); ++k) {
    symbol = symbol << tensor.format.bits | padded_code(tensor, row, col + k);
  }
  return symbol;
}

}  // namespace

int range_tuple(int bits) {
  return bits == 1 ? 8 : bits == 2 ? 4 : bits <= 4 ? 2 : 1;
}

int range_streams(int bits) {
  return bits >= 1 && bits <= kWidest ? 1 : 0;
}

int range_row_letters(int /*bits*/, int /*groups*/) {
  return 0;
}

int range_codebook_letters(int bits) {
  return range_streams(bits) > 0 ? 2 + (2 << bits) : 0;
}

std::string range_codebook_of(int bits, std::span<const CodedTensor* const> tensors) {
  std::vector<std::int64_t> counts(std::size_t{1} << bits, 0);
  for (const CodedTensor* tensor : tensors) {
    for (int row = 0; row < tensor->shape.rows; ++row) {
      for (int col = 0; col < 8 * group_count(tensor->shape.cols); ++col) {
        ++counts[padded_code(*tensor, row, col)];
      }
    }
  }
  return range_codebook(counts, true);
}

void range_pack(const CodedTensor& tensor, std::string_view codebook,
                std::span<std::string> streams) {
  const int bits = tensor.format.bits;
  const RangeTable table = range_table(codebook, 1 << bits, range_tuple(bits));
  RangeWriter out(table);
  for (int row = 0; row < tensor.shape.rows; ++row) {
    for (int col = 0; col < 8 * group_count(tensor.shape.cols); col += range_tuple(bits)) {
      out.put(symbol_at(tensor, row, col));
    }
  }
  streams[0] += out.letters();
}

std::size_t range_unpack(std::span<const std::string_view> streams, std::string_view codebook,
                         CodedTensor& tensor) {
  const int bits = tensor.format.bits, tuple = range_tuple(bits);
  const std::size_t rows = tensor.shape.rows, cols = tensor.shape.cols;
  const auto padded = std::size_t{8} * static_cast<std::size_t>(group_count(tensor.shape.cols));
  const auto letters = static_cast<std::size_t>(range_codebook_letters(bits));
  if (codebook.size() != letters) fail(Fault::bad_input, "codebook: {} letters", codebook.size());
  const RangeTable table = range_table(codebook, 1 << bits, tuple);
  if (rows * padded / static_cast<std::size_t>(tuple) / kMostSymbolsPerLetter > streams[0].size()) {
    fail(Fault::bad_input, "weight text: {} letters for {} codes", streams[0].size(),
         rows * padded);
  }
  RangeReader in(streams[0], table);
  tensor.codes.resize(rows * cols);
  for (std::size_t i = 0; i < rows * padded; i += static_cast<std::size_t>(tuple)) {
    std::uint32_t symbol = in.take();
    for (int k = tuple - 1; k >= 0; --k, symbol >>= bits) {
      const std::size_t row = i / padded, col = i % padded + static_cast<std::size_t>(k);
      if (col < cols) {
        tensor.codes[row * cols + col] = static_cast<std::uint8_t>(symbol & ((1u << bits) - 1));
      }
    }
  }
  return in.finish();
}

DecodeProc range_emit_decode(blocks::Sprite& engine, const DecodeLists& lists, int bits) {
  using namespace blocks;
  const RangeBlocks range = emit_range(engine, lists, fmt::format("range {}", bits));
  return engine.define<Num, Num, Num, Num, Num>(
      fmt::format("decode range {}", bits), {"item", "letter", "rows", "at", "groups"},
      [&](Script& s, Arg<Num> item, Arg<Num> letter, Arg<Num> rows, Arg<Num> at, Arg<Num> groups) {
        s.when(!(letter == 0), [&](Script& s) {
          s.call(range.open, item, range_tuple(bits), 256);
          s.when(letter > 0, [&](Script& s) { s.set(range.letter, letter + 0); });
          s.call(range.begin);
        });
        s.set(range.to, at + 0);
        s.repeat(rows, [&](Script& s) {
          s.call(range.row, groups, bits, groups);
          s.change(range.to, groups * (bits - 1));
        });
      });
}

std::pair<std::string, std::string> range_pack_halves(std::span<const std::uint16_t> halves) {
  std::vector<std::int64_t> counts(256, 0);
  for (const std::uint16_t half : halves) ++counts[half >> 8];
  std::string codebook = range_codebook(counts, false);
  const RangeTable table = range_table(codebook, 256, 1);
  RangeWriter out(table);
  for (const std::uint16_t half : halves) {
    out.put(half >> 8);
    out.put_byte(half & 255);
  }
  return {std::move(codebook), out.letters()};
}

std::vector<std::uint16_t> range_unpack_halves(std::string_view codebook, std::string_view letters,
                                               std::size_t count) {
  const RangeTable table = range_table(codebook, 256, 1);
  // A letter has less than seven bits, and a number at least the eight of its low byte.
  if (count > letters.size()) {
    fail(Fault::bad_input, "weight text: {} letters for {} numbers", letters.size(), count);
  }
  RangeReader in(letters, table);
  std::vector<std::uint16_t> halves(count);
  for (std::uint16_t& half : halves) {
    const std::uint32_t high = in.take();
    half = static_cast<std::uint16_t>(high << 8 | in.take_byte());
  }
  if (in.finish() != letters.size()) fail(Fault::bad_input, "weight text: letters are left over");
  return halves;
}

}  // namespace sb3lm
