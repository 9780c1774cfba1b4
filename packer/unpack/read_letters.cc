#include "unpack/read_letters.h"

#include <algorithm>

#include "model/project_names.h"
#include "model/unicode.h"

namespace sb3lm {
namespace {

const scratch::List* letters_of(const scratch::Target& target) {
  const auto found =
      std::find_if(target.lists.begin(), target.lists.end(),
                   [](const scratch::List& list) { return list.name == names::kLetters; });
  return found == target.lists.end() ? nullptr : &*found;
}

}  // namespace

std::optional<TypedLetters> read_letters(const scratch::Program& program) {
  for (const scratch::Target& target : program.targets) {
    const scratch::List* list = letters_of(target);
    if (list == nullptr || list->items.empty()) continue;
    const auto* text = std::get_if<std::string>(&list->items.front());
    std::vector<char32_t> points;
    if (text == nullptr || !decode_utf8(*text, points)) continue;
    TypedLetters letters;
    for (std::size_t at = 0; at < points.size(); at += 2) letters.small.push_back(points[at]);
    for (const scratch::Costume& costume : target.costumes) {
      if (!decode_utf8(costume.name, points) || points.size() != 1) continue;
      if (lower_case(points[0]) != points[0]) letters.capital.push_back(points[0]);
    }
    for (auto* some : {&letters.small, &letters.capital}) std::sort(some->begin(), some->end());
    return letters;
  }
  return std::nullopt;
}

}  // namespace sb3lm
