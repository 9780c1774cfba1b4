// The range coder by itself. tests/diff/encodings_test has the encoding and its blocks.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "quant/range.h"
#include "quant/range_coder.h"
#include "support/random_model.h"

using namespace sb3lm;
using namespace sb3lm::test;

TEST_CASE("94 letters that JSON leaves alone") {
  std::set<char> letters;
  for (int value = 0; value < kRangeLetters; ++value) {
    const char letter = range_letter(value);
    CHECK(letter >= ' ');
    CHECK(letter != '"');
    CHECK(letter != '\\');
    CHECK(range_value(letter) == value);
    letters.insert(letter);
  }
  CHECK(letters.size() == kRangeLetters);
  for (const char other : {'"', '\\', '\n', '\x1f', '\x80', '\xff'})
    CHECK(range_value(other) == -1);
}

TEST_CASE("letters come within half a per cent of the entropy") {
  Random random(1);
  // 4-bit codes of a normal distribution whose tails are clipped.
  CodedTensor tensor{
      .shape = {400, 768}, .format = CodeFormat::of_bits(4), .codes = {}, .row_scale = {}};
  std::vector<double> counts(16, 0);
  for (int i = 0; i < 400 * 768; ++i) {
    double sum = 0;
    for (int k = 0; k < 12; ++k) sum += random.uniform();
    const double level = std::clamp(std::round((sum - 6) * 2.4), -7.0, 7.0);
    tensor.codes.push_back(static_cast<std::uint8_t>(level + 8));
    ++counts[tensor.codes.back()];
  }
  double bits = 0;
  for (const double count : counts) {
    if (count > 0) bits -= count * std::log2(count / (400.0 * 768));
  }
  const CodedTensor* const all[] = {&tensor};
  std::string letters;
  range_pack(tensor, range_codebook_of(4, all), std::span(&letters, 1));
  CHECK(static_cast<double>(letters.size()) < 1.005 * bits / std::log2(94.0));
}

TEST_CASE("halves: any bit patterns, and none") {
  Random random(2);
  for (const std::size_t count : {std::size_t{1}, std::size_t{2}, std::size_t{5000}}) {
    std::vector<std::uint16_t> halves;
    for (std::size_t i = 0; i < count; ++i) {
      halves.push_back(static_cast<std::uint16_t>(random.uniform() * 65536));
    }
    const auto [codebook, letters] = range_pack_halves(halves);
    CHECK(range_unpack_halves(codebook, letters, count) == halves);
    CHECK_THROWS_AS(range_unpack_halves(codebook, letters + " ", count), Error);
    CHECK_THROWS_AS(range_unpack_halves(codebook, letters.substr(1), count), Error);
    CHECK_THROWS_AS(range_unpack_halves(codebook.substr(2), letters, count), Error);
    CHECK_THROWS_AS(range_unpack_halves(codebook, letters, letters.size() + 1), Error);
  }
}

TEST_CASE("codebooks that are none") {
  CHECK_THROWS_AS(range_table("", 16, 2), Error);
  CHECK_THROWS_AS(range_table("  ", 16, 2), Error);
  CHECK_THROWS_AS(range_table("     ", 16, 2), Error);
  CHECK_THROWS_AS(range_table("    ", 16, 2), Error);   // a weight of nothing
  CHECK_THROWS_AS(range_table("\"   ", 16, 2), Error);  // no letter of ours
  CHECK_THROWS_AS(range_table(" 1 !", 16, 2), Error);   // code 16 of 0 to 15
  CHECK_THROWS_AS(range_table(std::string(64, '~'), 16, 2), Error);
  CHECK(range_table("   !", 16, 2).slots() == 65000);  // code 0 alone
}
