#include "scratch/pass_order.h"

#include <algorithm>
#include <cstddef>

namespace sb3lm::scratch {
namespace {

std::size_t count_blocks(const Target& target) {
  std::size_t count = 0;
  const auto add = [&](const Stack& stack) {
    for (const NodePtr& block : stack) count += count_blocks(*block);
  };
  for (const Procedure& procedure : target.procedures) add(procedure.body);
  for (const Script& script : target.scripts) add(script.body);
  return count;
}

// The editor lists the stage's names before the sprite's, and private names, which only sprites
// have many of, sort before public ones.
template <class Named>
void sort_backwards(std::vector<Named>& all) {
  std::stable_sort(all.begin(), all.end(),
                   [](const Named& a, const Named& b) { return a.name > b.name; });
}

}  // namespace

void order_for_editor(Program& program) {
  for (std::size_t i = 1; i < program.targets.size(); ++i) {
    Target& sprite = program.targets[i];
    // A layer of 0 means that of the place in the file.
    if (sprite.layer == 0) sprite.layer = static_cast<int>(i);
  }
  std::stable_sort(
      program.targets.begin() + 1, program.targets.end(),
      [](const Target& a, const Target& b) { return count_blocks(a) < count_blocks(b); });
  for (Target& target : program.targets) {
    sort_backwards(target.variables);
    sort_backwards(target.lists);
  }
}

}  // namespace sb3lm::scratch
