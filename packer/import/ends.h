// Tokens that end a reply, as every file that names some adds them.
#pragma once

#include <algorithm>
#include <vector>

namespace sb3lm {

/// Keeps `ends` sorted, each id once. Negative ids are none.
inline void add_end(int id, std::vector<int>& ends) {
  const auto place = std::ranges::lower_bound(ends, id);
  if (id >= 0 && (place == ends.end() || *place != id)) ends.insert(place, id);
}

}  // namespace sb3lm
