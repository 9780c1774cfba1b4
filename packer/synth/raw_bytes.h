// Numbers as they lie in files: little-endian, one after the other.
#pragma once

#include <bit>
#include <cstring>
#include <string>
#include <vector>

namespace sb3lm {

template <class T>
std::string raw_bytes(const std::vector<T>& values) {
  static_assert(std::endian::native == std::endian::little);
  std::string bytes(values.size() * sizeof(T), '\0');
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

}  // namespace sb3lm
