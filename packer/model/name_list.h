// Many names that differ in numbers ("layers.3.experts.0.gate") as a few patterns and a list of
// small differences, which repeats from layer to layer and so takes next to nothing in a zip.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sb3lm {

/// A name whose numbers are taken out: "layers.#.experts.#.gate". Numbers are digits without
/// leading zeros, nine at most; a '#' of the name's own counts as the number -1.
struct SplitName {
  std::string pattern;
  std::vector<std::int64_t> numbers;
};
SplitName split_name(std::string_view name);

/// Names by pattern: for each name the pattern's place, then for each '#' the difference to the
/// last name of that pattern (to 0 for the first).
struct NameList {
  std::vector<std::string> patterns;  // in order of appearance
  std::vector<std::int64_t> steps;
};
NameList make_name_list(const std::vector<std::string>& names);

/// The names again. Throws bad_input if places or numbers are out of range, steps are missing, or
/// the names together take more than `max_bytes`.
std::vector<std::string> read_name_list(const NameList& list, std::size_t max_bytes);

}  // namespace sb3lm
