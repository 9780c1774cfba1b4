// IEEE binary16 and bfloat16, exactly.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace sb3lm {

/// The exact value of a binary16 bit pattern (infinities and NaN included).
inline double half_to_double(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const int mantissa = bits & 1023;
  const double sign = (bits & 0x8000) != 0 ? -1.0 : 1.0;
  if (exponent == 31) return mantissa != 0 ? std::nan("") : sign * HUGE_VAL;
  if (exponent == 0) return sign * std::ldexp(mantissa, -24);
  return sign * std::ldexp(1024 + mantissa, exponent - 25);
}

/// The same for finite numbers, several times faster.
inline float finite_half_to_float(std::uint16_t bits) {
  const std::uint32_t size = static_cast<std::uint32_t>(bits & 0x7fff) << 13;
  const float value = std::bit_cast<float>(size) * 0x1p112F;  // exact, subnormal numbers included
  return (bits & 0x8000) != 0 ? -value : value;
}

/// Rounds to the nearest binary16, ties to even; overflow gives infinity.
inline std::uint16_t half_from_double(double value) {
  const std::uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  const double size = std::fabs(value);
  if (std::isnan(value)) return sign | 0x7e00;
  if (size >= 65520.0) return sign | 0x7c00;
  if (size < std::ldexp(1.0, -14)) {  // subnormal: steps of 2^-24
    return sign | static_cast<std::uint16_t>(std::nearbyint(std::ldexp(size, 24)));
  }
  const int exponent = std::ilogb(size);
  const auto mantissa = static_cast<int>(std::nearbyint(std::ldexp(size, 10 - exponent)));
  return sign | static_cast<std::uint16_t>(((exponent + 14) << 10) + mantissa);
}

/// The nearest bfloat16 of a finite number, ties to even.
inline float bfloat16_rounded(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return std::bit_cast<float>((bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000);
}

inline float bfloat16_to_float(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

}  // namespace sb3lm
