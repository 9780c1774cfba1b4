// Numbers as hex digits in four streams. tests/diff/encodings_test has the blocks.
#include <doctest/doctest.h>

#include "base/error.h"
#include "quant/encoding.h"

using namespace sb3lm;

namespace {

using Streams = std::vector<std::string>;

std::vector<std::uint16_t> read(const Streams& streams, int base, std::size_t count) {
  const std::vector<std::string_view> views(streams.begin(), streams.end());
  return unpack_halves(views, base, count);
}

}  // namespace

TEST_CASE("a digit per stream: most significant first, lower case, appended") {
  Streams streams(kHalfStreams, "x");
  pack_halves(std::vector<std::uint16_t>{0x3c00, 0x8001, 0xabcd, 0}, 0, streams);
  CHECK(streams == Streams{"x38a0", "xc0b0", "x00c0", "x01d0"});
}

TEST_CASE("the smallest is taken off and put back") {
  Streams streams(kHalfStreams);
  const std::vector<std::uint16_t> halves = {0x3c00, 0x3c21, 0x3bff};
  pack_halves(halves, 0x3bff, streams);
  CHECK(streams == Streams{"000", "000", "020", "120"});
  CHECK(read(streams, 0x3bff, 3) == halves);
  CHECK_THROWS_AS(pack_halves(halves, 0x3c00, streams), Error);
}

TEST_CASE("bases: alike roles are put side by side, others keep their smallest") {
  // Two roles with the same spread at different places: aligned, they share their high digits.
  std::vector<std::vector<std::uint16_t>> roles(2);
  for (std::uint16_t i = 0; i < 200; ++i) {
    roles[0].push_back(static_cast<std::uint16_t>(100 + i));
    roles[1].push_back(static_cast<std::uint16_t>(9050 + i));
  }
  roles[1].push_back(8000);
  const std::vector<int> bases = halves_bases(roles);
  CHECK(bases[0] < 0);  // what matters are differences
  CHECK(std::abs(bases[1] - bases[0] - 8950) < 10);
  Streams streams(kHalfStreams);
  pack_halves(roles[0], bases[0], streams);
  CHECK(read(streams, bases[0], roles[0].size()) == roles[0]);

  // Patterns of positive and negative numbers do not fit beside others' averages.
  roles = {{0, 65535}, {0, 1, 2}};
  CHECK(halves_bases(roles) == std::vector<int>{0, 0});
}

TEST_CASE("every pattern reads back, infinities and NaN too") {
  std::vector<std::uint16_t> all(65536);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint16_t>(i);
  Streams streams(kHalfStreams);
  pack_halves(all, 0, streams);
  CHECK(read(streams, 0, all.size()) == all);
}

TEST_CASE("letters beyond the asked ones do not matter") {
  CHECK(read({"3z", "cz", "0z", "0z"}, 0, 1) == std::vector<std::uint16_t>{0x3c00});
  CHECK(read({"", "", "", ""}, 0, 0).empty());
}

TEST_CASE("broken text is refused") {
  CHECK_THROWS_WITH_AS(read({"3", "c", "0", ""}, 0, 1), "weight text: 0 letters for 1 numbers",
                       Error);
  CHECK_THROWS_WITH_AS(read({"3", "c", "0", "G"}, 0, 1),
                       "weight text: letter 'G' is not a hex digit", Error);
  CHECK_THROWS_WITH_AS(read({"f", "f", "f", "f"}, 2, 1), "weight text: number 65537 has no 16 bits",
                       Error);
  CHECK_THROWS_AS(read({"3", "c", "0", "0"}, 0, ~std::size_t{0}), Error);
}
