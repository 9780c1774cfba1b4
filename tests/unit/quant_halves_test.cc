// Numbers as four hex letters. tests/diff/encodings_test has the blocks.
#include <doctest/doctest.h>

#include "base/error.h"
#include "quant/encoding.h"

using namespace sb3lm;

TEST_CASE("letters: most significant first, lower case, appended") {
  std::string stream = "x";
  pack_halves(std::vector<std::uint16_t>{0x3c00, 0x8001, 0xabcd, 0}, stream);
  CHECK(stream == "x3c008001abcd0000");
}

TEST_CASE("every pattern reads back, infinities and NaN too") {
  std::vector<std::uint16_t> all(65536);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint16_t>(i);
  std::string stream;
  pack_halves(all, stream);
  CHECK(unpack_halves(stream, all.size()) == all);
}

TEST_CASE("letters beyond the asked ones do not matter") {
  CHECK(unpack_halves("3c00zz", 1) == std::vector<std::uint16_t>{0x3c00});
  CHECK(unpack_halves("", 0).empty());
}

TEST_CASE("broken text is refused") {
  CHECK_THROWS_WITH_AS(unpack_halves("3c0", 1), "weight text: 3 letters for 1 numbers", Error);
  CHECK_THROWS_WITH_AS(unpack_halves("3c0G", 1), "weight text: letter 'G' is not a hex digit",
                       Error);
  // A count so large that its letters overflow is too few letters, not a crash.
  CHECK_THROWS_AS(unpack_halves("3c00", ~std::size_t{0}), Error);
}
