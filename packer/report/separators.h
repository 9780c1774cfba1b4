// Numbers for people.
#pragma once

#include <cstdint>
#include <string>

namespace sb3lm {

/// "10,485,760".
inline std::string with_separators(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

}  // namespace sb3lm
