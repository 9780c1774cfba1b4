#include "report/project_map.h"

namespace sb3lm {
namespace {

void read_lists(JsonScan& in, std::string_view text, std::vector<ListSpan>& lists) {
  in.object([&](std::string_view) {
    ListSpan& list = lists.emplace_back();
    int field = 0;
    in.array([&] {
      const Span span = in.value();
      if (field == 0)
        list.name = text.substr(span.begin + 1, span.size() < 2 ? 0 : span.size() - 2);
      if (field == 1) list.items = span;
      ++field;
      return true;
    });
    return true;
  });
}

TargetSpans read_target(JsonScan& in, std::string_view text) {
  TargetSpans target;
  in.object([&](std::string_view key) {
    if (key == "lists") {
      read_lists(in, text, target.lists);
    } else if (key == "blocks") {
      target.blocks = in.value();
    } else if (key == "costumes") {
      target.costumes = in.value();
    } else {
      in.value();
    }
    return true;
  });
  return target;
}

}  // namespace

const ListSpan* ProjectMap::find_list(std::string_view name) const {
  for (const TargetSpans& target : targets) {
    for (const ListSpan& list : target.lists) {
      if (list.name == name) return &list;
    }
  }
  return nullptr;
}

ProjectMap map_project(const std::string& file, std::string_view text) {
  ProjectMap map{.file = file, .text = text};
  JsonScan in(map.file, text, 0);
  in.object([&](std::string_view key) {
    if (key != "targets") {
      in.value();
      return true;
    }
    in.array([&] {
      map.targets.push_back(read_target(in, text));
      return true;
    });
    return true;
  });
  return map;
}

void for_each_item(const ProjectMap& map, Span array, const std::function<bool(Span)>& visit) {
  JsonScan in(map.file, map.text, array.begin);
  in.array([&] { return visit(in.value()); });
}

Span trailing_zeros(std::string_view text, Span array) {
  if (array.size() < 3) return {array.end, array.end};
  const std::size_t end = array.end - 1;  // the bracket
  std::size_t at = end;
  // An item that is only the digit 0 has a comma or the bracket before it.
  while (at - array.begin >= 2 && text[at - 1] == '0' &&
         (text[at - 2] == ',' || text[at - 2] == '[')) {
    const bool first = text[at - 2] == '[';
    at -= first ? 1 : 2;
    if (first) break;
  }
  return {at, end};
}

}  // namespace sb3lm
