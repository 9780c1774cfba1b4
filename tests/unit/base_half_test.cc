// binary16 and bfloat16 over all bit patterns, and rounding at every boundary between neighbours.
#include <doctest/doctest.h>

#include <limits>

#include "base/half.h"
#include "synth/random.h"

using namespace sb3lm;

namespace {

// The same value by the bits of a binary32 number: another way than half_to_double's.
float half_by_bits(std::uint16_t half) {
  const std::uint32_t sign = (half & 0x8000u) << 16, mantissa = half & 1023u;
  const std::uint32_t exponent = half >> 10 & 31u;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | mantissa << 13);
  if (exponent != 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
  // 2^-14 + m 2^-24 - 2^-14
  const auto small =
      std::bit_cast<float>(113u << 23 | mantissa << 13) - std::bit_cast<float>(113u << 23);
  return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(small));
}

std::uint64_t bits_of(double value) {
  return std::bit_cast<std::uint64_t>(value);
}

}  // namespace

TEST_CASE("all binary16 patterns") {
  for (int bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const double value = half_to_double(half);
    CAPTURE(bits);
    if (std::isnan(half_by_bits(half))) {
      REQUIRE(std::isnan(value));
      REQUIRE(std::isnan(half_to_double(half_from_double(value))));
      continue;
    }
    REQUIRE(bits_of(value) == bits_of(half_by_bits(half)));
    REQUIRE(half_from_double(value) == half);
  }
}

TEST_CASE("rounding to binary16: nearest, ties to even, at every boundary") {
  for (int bits = 0; bits < 0x7c00; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const double low = half_to_double(half);
    // Above the largest finite one a step further would be 65536.
    const double high =
        bits == 0x7bff ? 65536 : half_to_double(static_cast<std::uint16_t>(bits + 1));
    const double middle = (low + high) / 2;
    const auto even = static_cast<std::uint16_t>(bits + bits % 2);
    CAPTURE(bits);
    REQUIRE(half_from_double(middle) == even);
    REQUIRE(half_from_double(-middle) == (even | 0x8000));
    REQUIRE(half_from_double(std::nextafter(middle, 0)) == half);
    REQUIRE(half_from_double(std::nextafter(middle, HUGE_VAL)) == bits + 1);
  }
}

TEST_CASE("binary16 of extremes") {
  CHECK(half_from_double(0.0) == 0);
  CHECK(half_from_double(-0.0) == 0x8000);
  CHECK(half_from_double(HUGE_VAL) == 0x7c00);
  CHECK(half_from_double(-HUGE_VAL) == 0xfc00);
  CHECK(half_from_double(1e300) == 0x7c00);
  CHECK(half_from_double(5e-324) == 0);
  CHECK(half_from_double(-1e-30) == 0x8000);
  CHECK(half_to_double(0x3c00) == 1);
  CHECK(half_to_double(0x7bff) == 65504);
}

TEST_CASE("bfloat16 is the upper half of binary32") {
  for (int bits = 0; bits < 65536; ++bits) {
    const float value = bfloat16_to_float(static_cast<std::uint16_t>(bits));
    REQUIRE(std::bit_cast<std::uint32_t>(value) == static_cast<std::uint32_t>(bits) << 16);
  }
  CHECK(bfloat16_to_float(0x3f80) == 1);
  CHECK(bfloat16_to_float(0xc040) == -3);
}
