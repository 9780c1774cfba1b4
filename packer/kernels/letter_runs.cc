#include "kernels/letter_runs.h"

#include <algorithm>

#include "base/error.h"
#include "kernels/text_tables.h"

namespace sb3lm {

using namespace blocks;

int letter_costumes(Sprite& engine) {
  const auto& costumes = engine.target().costumes;
  const auto found =
      std::find_if(costumes.begin(), costumes.end(),
                   [](const scratch::Costume& costume) { return costume.name == kUnknownLetter; });
  check(found != costumes.end(), "letters are printed by a sprite that has none");
  return static_cast<int>(found - costumes.begin()) + 1;
}

LetterRunBlocks emit_letter_runs(Sprite& engine, const std::vector<char32_t>& letters) {
  LetterRunBlocks blocks{{"_find run %s %s"}, List<Num>("_letter runs"), Var<Num>("_letter run")};
  const auto& lists = engine.target().lists;
  const bool known = std::any_of(lists.begin(), lists.end(), [&](const scratch::List& list) {
    return list.name == blocks.runs.name;
  });
  if (known) return blocks;
  engine.list<Num>(blocks.runs.name, letter_runs(letters));
  engine.var<Num>(blocks.at.name);
  const Var<Num>& at = blocks.at;
  blocks.find = engine.define<Num, Num>(
      "_find run", {"value", "field"}, [&](Script& s, Arg<Num> value, Arg<Num> field) {
        s.set(at, 1);
        s.repeat_until(blocks.runs[at + field + 2] > value, [&](Script& s) { s.change(at, 2); });
      });
  return blocks;
}

}  // namespace sb3lm
