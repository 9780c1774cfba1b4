// The places for arguments in a custom block's code, such as "row %s if %b".
#pragma once

#include <string_view>
#include <vector>

namespace sb3lm {

enum class Placeholder { text, boolean };

/// In order; %n, which old projects have, is a text as %s is.
inline std::vector<Placeholder> placeholders(std::string_view code) {
  std::vector<Placeholder> found;
  for (std::size_t at = code.find('%'); at != std::string_view::npos && at + 1 < code.size();
       at = code.find('%', at + 1)) {
    const char kind = code[at + 1];
    if (kind == 's' || kind == 'n') found.push_back(Placeholder::text);
    if (kind == 'b') found.push_back(Placeholder::boolean);
  }
  return found;
}

}  // namespace sb3lm
