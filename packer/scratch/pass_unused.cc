#include "scratch/pass_unused.h"

#include <algorithm>
#include <set>

#include "scratch/fields.h"

namespace sb3lm::scratch {
namespace {

using Names = std::set<std::string>;

template <class Named>
void drop(std::vector<Named>& named, const Names& used) {
  std::erase_if(named, [&](const Named& one) {
    return one.name.starts_with("_") && !used.contains(one.name);
  });
}

}  // namespace

void drop_unused(Program& program) {
  Names used;
  for (const Monitor& monitor : program.monitors) used.insert(monitor.name);
  for (Target& target : program.targets) {
    for_each_field(target, [&](FieldKind kind, std::string& field) {
      if (kind == FieldKind::variable || kind == FieldKind::list) used.insert(field);
    });
  }
  for (Target& target : program.targets) {
    drop(target.variables, used);
    drop(target.lists, used);
  }
}

}  // namespace sb3lm::scratch
