#include "quant/encoding.h"

#include "base/error.h"
#include "quant/digits.h"
#include "quant/hex.h"
#include "quant/letters.h"
#include "quant/range.h"

namespace sb3lm {
namespace {

int no_codebook_letters(int /*bits*/) {
  return 0;
}

std::string no_codebook(int /*bits*/, std::span<const CodedTensor* const> /*tensors*/) {
  return {};
}

const CodeEncoding kEncodings[] = {
    {"hex", hex_streams, hex_row_letters, no_codebook_letters, no_codebook, hex_pack, hex_unpack,
     hex_emit_decode},
    {"digits", digits_streams, digits_row_letters, digits_codebook_letters, digits_codebook,
     digits_pack, digits_unpack, digits_emit_decode},
    {"letters", digits_streams, letters_row_letters, digits_codebook_letters, digits_codebook,
     letters_pack, letters_unpack, letters_emit_decode},
    {"range", range_streams, range_row_letters, range_codebook_letters, range_codebook_of,
     range_pack, range_unpack, range_emit_decode},
};

}  // namespace

std::span<const CodeEncoding> code_encodings() {
  return kEncodings;
}

const CodeEncoding& code_encoding(std::string_view name) {
  for (const CodeEncoding& row : kEncodings) {
    if (row.name == name) return row;
  }
  fail(Fault::unsupported, "encoding '{}': not known to this version", name);
}

std::uint8_t padded_code(const CodedTensor& tensor, int row, int col) {
  if (col >= tensor.shape.cols) return 0;
  return tensor.codes[static_cast<std::size_t>(row) * tensor.shape.cols + col];
}

void require_letters(std::span<const std::string_view> streams, int rows, int row_letters) {
  for (const std::string_view stream : streams) {
    if (stream.size() / static_cast<std::size_t>(row_letters) < static_cast<std::size_t>(rows)) {
      fail(Fault::bad_input, "weight text: {} letters for {} rows of {}", stream.size(), rows,
           row_letters);
    }
  }
}

int hex_digit(char letter) {
  if (letter >= '0' && letter <= '9') return letter - '0';
  if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
  fail(Fault::bad_input, "weight text: letter '{}' is not a hex digit", letter);
}

std::vector<scratch::Scalar> spread_table() {
  std::vector<scratch::Scalar> items;
  for (int pair = 0; pair < 256; ++pair) {
    double sum = 0, field = 1;
    for (int k = 0; k < 4; ++k, field *= 8192) {
      sum += field * (2 * (pair >> (4 + k) & 1) + (pair >> k & 1));
    }
    items.emplace_back(sum);
  }
  return items;
}

}  // namespace sb3lm
