// Where things lie in the text of project.json: byte ranges, found by one walk over the text.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sb3/json_scan.h"

namespace sb3lm {

struct ListSpan {
  std::string name;  // as the JSON spells it, escapes included
  Span items;        // the array, with its brackets
};

struct TargetSpans {
  std::vector<ListSpan> lists;
  Span blocks;    // the object, with its braces; empty if there is none
  Span costumes;  // the array, with its brackets
};

struct ProjectMap {
  std::string file;
  std::string_view text;
  std::vector<TargetSpans> targets;

  /// The first list of that name, or null.
  const ListSpan* find_list(std::string_view name) const;
};

/// Nothing is copied: `text` must outlive the map. Throws bad_input with `file` and the byte at
/// fault if this is no project.json.
ProjectMap map_project(const std::string& file, std::string_view text);

/// Calls visit(span of the item) for each item of an array until it returns false.
void for_each_item(const ProjectMap& map, Span array, const std::function<bool(Span)>& visit);

/// The zeros at the end of an array of numbers, commas between them included; empty if none.
Span trailing_zeros(std::string_view text, Span array);

}  // namespace sb3lm
