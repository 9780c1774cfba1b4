#include "quant/hex.h"

#include "base/error.h"
#include "quant/row_decoder.h"

namespace sb3lm {

using namespace blocks;

namespace {

// The digit of weight `code` in each stream: all of it, or high bits and low four.
int digit_of(int code, int bits, std::size_t stream) {
  if (bits <= 4) return code;
  return stream == 0 ? code >> 4 : code & 15;
}

// "0x" and two letters of the text at `item`, as a number.
Expr<Num> hex_pair(const DecodeLists& lists, const Var<Num>& item, const Var<Num>& letter_at,
                   int offset) {
  return to_num(join("0x", join(letter(letter_at + offset, lists.text[item + 0]),
                                letter(letter_at + (offset + 1), lists.text[item + 0]))));
}

}  // namespace

int hex_streams(int bits) {
  return bits < 1 || bits > 8 ? 0 : bits <= 4 ? 1 : 2;
}

int hex_row_letters(int bits, int groups) {
  return bits == 1 ? 2 * groups : 8 * groups;
}

void hex_pack(const CodedTensor& tensor, std::string_view /*codebook*/,
              std::span<std::string> streams) {
  const int bits = tensor.format.bits, cols = 8 * group_count(tensor.shape.cols);
  for (int row = 0; row < tensor.shape.rows; ++row) {
    if (bits == 1) {
      for (int col = 0; col < cols; col += 4) {
        int digit = 0;
        for (int k = 0; k < 4; ++k) digit = 2 * digit + padded_code(tensor, row, col + k);
        streams[0] += kHexDigits[digit];
      }
      continue;
    }
    for (int col = 0; col < cols; ++col) {
      for (std::size_t stream = 0; stream < streams.size(); ++stream) {
        streams[stream] += kHexDigits[digit_of(padded_code(tensor, row, col), bits, stream)];
      }
    }
  }
}

std::size_t hex_unpack(std::span<const std::string_view> streams, std::string_view /*codebook*/,
                       CodedTensor& tensor) {
  const int bits = tensor.format.bits;
  const std::size_t rows = tensor.shape.rows, cols = tensor.shape.cols;
  const auto letters =
      static_cast<std::size_t>(hex_row_letters(bits, group_count(tensor.shape.cols)));
  require_letters(streams, tensor.shape.rows, static_cast<int>(letters));
  tensor.codes.resize(rows * cols);
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t col = 0; col < cols; ++col) {
      int code = 0;
      if (bits == 1) {
        code = hex_digit(streams[0][row * letters + col / 4]) >> (3 - col % 4) & 1;
      } else {
        for (const std::string_view stream : streams) {
          code = 16 * code + hex_digit(stream[row * letters + col]);
        }
      }
      if (code >> bits != 0) {
        fail(Fault::bad_input, "weight text: code {} does not fit {} bits", code, bits);
      }
      tensor.codes[row * cols + col] = static_cast<std::uint8_t>(code);
    }
  }
  return rows * letters;
}

DecodeProc hex_emit_decode(Sprite& engine, const DecodeLists& lists, int bits) {
  const std::string name = fmt::format("decode hex {}", bits);
  const DecodeCursor at(engine, name);

  // Eight weights of one digit stream: four pairs to `planes` bytes, `first` being the plane of the
  // most significant bit.
  const auto eight_weights = [&](Script& s, int first, int planes, Arg<Num>& groups) {
    const auto pair = [&](int k) {
      return lists.spread[hex_pair(lists, at.item, at.from, 2 * k) + 1];
    };
    s.set(at.acc, ((pair(0) * 4 + pair(1)) * 4 + pair(2)) * 4 + pair(3));
    put_plane_bytes(s, lists, at, first, planes, groups);
  };
  return emit_row_decoder(
      engine, name, at, bits,
      [&](Script& s, Arg<Num>&, Arg<Num>& letter) { s.set(at.from, letter + 0); },
      [&](Script& s, Arg<Num>& groups) {
        if (bits == 1) {
          s.replace(lists.codes, at.to + 0, hex_pair(lists, at.item, at.from, 0) + at.base);
        } else if (bits <= 4) {
          eight_weights(s, 0, bits, groups);
        } else {
          eight_weights(s, 0, bits - 4, groups);
          s.change(at.item, 1);
          eight_weights(s, bits - 4, 4, groups);
          s.change(at.item, -1);
        }
        s.change(at.from, hex_row_letters(bits, 1));
      });
}

}  // namespace sb3lm
