// The hex encoding's letters themselves, which finished files depend on. tests/diff/encodings_test
// has the round trips and the blocks.
#include <doctest/doctest.h>

#include <string>

#include "base/error.h"
#include "quant/hex.h"

namespace {

using namespace sb3lm;

CodedTensor tensor_of(int rows, int cols, int bits, std::vector<std::uint8_t> codes) {
  return {.shape = {rows, cols}, .format = CodeFormat::of_bits(bits), .codes = std::move(codes)};
}

std::vector<std::string> packed(const CodedTensor& tensor) {
  std::vector<std::string> streams(static_cast<std::size_t>(hex_streams(tensor.format.bits)));
  hex_pack(tensor, "", streams);
  return streams;
}

std::string unpack_error(int bits, const std::vector<std::string>& streams) {
  CodedTensor tensor = tensor_of(1, 8, bits, {});
  const std::vector<std::string_view> views(streams.begin(), streams.end());
  try {
    hex_unpack(views, "", tensor);
  } catch (const Error& error) {
    CHECK(error.fault == Fault::bad_input);
    return error.what();
  }
  return "";
}

using Letters = std::vector<std::string>;

}  // namespace

TEST_CASE("one bit: four weights a letter, the first one most significant") {
  CHECK(packed(tensor_of(1, 8, 1, {1, 0, 0, 0, 0, 0, 1, 1})) == Letters{"83"});
  CHECK(packed(tensor_of(2, 3, 1, {1, 1, 1, 0, 0, 1})) == Letters{"e020"});
}

TEST_CASE("two to four bits: one letter a weight, rows padded to 8") {
  CHECK(packed(tensor_of(1, 8, 4, {0, 1, 9, 10, 15, 8, 7, 2})) == Letters{"019af872"});
  CHECK(packed(tensor_of(2, 3, 3, {7, 0, 5, 1, 2, 3})) == Letters{"7050000012300000"});
  CHECK(packed(tensor_of(1, 1, 2, {3})) == Letters{"30000000"});
}

TEST_CASE("five to eight bits: high digits and low digits apart") {
  CHECK(packed(tensor_of(1, 3, 8, {0x00, 0xff, 0x5a})) == Letters{"0f500000", "0fa00000"});
  CHECK(packed(tensor_of(1, 2, 5, {0x10, 0x1f})) == Letters{"11000000", "0f000000"});
}

TEST_CASE("sizes") {
  CHECK(hex_streams(0) == 0);
  CHECK(hex_streams(1) == 1);
  CHECK(hex_streams(4) == 1);
  CHECK(hex_streams(5) == 2);
  CHECK(hex_streams(8) == 2);
  CHECK(hex_streams(9) == 0);
  CHECK(hex_row_letters(1, 3) == 6);
  CHECK(hex_row_letters(3, 3) == 24);
  CHECK(hex_row_letters(8, 3) == 24);
}

TEST_CASE("broken text is refused with the letter or the number at fault") {
  CHECK(unpack_error(4, {"01234567"}) == "");
  CHECK(unpack_error(4, {"0123456g"}) == "weight text: letter 'g' is not a hex digit");
  CHECK(unpack_error(4, {"0123456F"}) == "weight text: letter 'F' is not a hex digit");
  CHECK(unpack_error(4, {"0123456"}) == "weight text: 7 letters for 1 rows of 8");
  CHECK(unpack_error(3, {"01234568"}) == "weight text: code 8 does not fit 3 bits");
  CHECK(unpack_error(5, {"00000002", "00000000"}) == "weight text: code 32 does not fit 5 bits");
  CHECK(unpack_error(8, {"00000000", "0000000"}) == "weight text: 7 letters for 1 rows of 8");
}

TEST_CASE("the spread table: item 16 a + b + 1 has two bits of a pair in four fields") {
  const std::vector<scratch::Scalar> table = spread_table();
  REQUIRE(table.size() == 256);
  for (int a = 0; a < 16; ++a) {
    for (int b = 0; b < 16; ++b) {
      std::int64_t fields =
          static_cast<std::int64_t>(std::get<double>(table[static_cast<std::size_t>(16 * a + b)]));
      for (int k = 0; k < 4; ++k, fields /= 8192) {
        CHECK(fields % 8192 == 2 * (a >> k & 1) + (b >> k & 1));
      }
      CHECK(fields == 0);
    }
  }
}
