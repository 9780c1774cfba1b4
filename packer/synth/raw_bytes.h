// Numbers as they lie in files: little-endian, one after the other.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "base/half.h"

namespace sb3lm {

template <class T>
std::string raw_bytes(const std::vector<T>& values) {
  static_assert(std::endian::native == std::endian::little);
  std::string bytes(values.size() * sizeof(T), '\0');
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

/// The upper half of the nearest bfloat16.
inline std::uint16_t bfloat16_bits(float value) {
  return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(bfloat16_rounded(value)) >> 16);
}

}  // namespace sb3lm
