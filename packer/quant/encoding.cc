#include "quant/encoding.h"

#include "base/error.h"
#include "quant/hex.h"

namespace sb3lm {
namespace {

const CodeEncoding kEncodings[] = {
    {"hex", hex_streams, hex_row_letters, hex_pack, hex_unpack, hex_emit_decode},
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
