#include "sb3/names.h"

#include "base/error.h"

namespace sb3lm {
namespace {

void deal(Names::Map& map, const std::string& name, const char* kind, IdTable::Handle& next) {
  if (!map.emplace(name, next).second) fail(Fault::bug, "{} '{}' exists twice", kind, name);
  ++next;
}

}  // namespace

Names::Names(const scratch::Program& program) {
  for (const scratch::Target& target : program.targets) {
    for (const auto& variable : target.variables) {
      deal(variables, variable.name, "variable", first_free);
    }
    for (const auto& list : target.lists) deal(lists, list.name, "list", first_free);
  }
  for (const std::string& name : program.broadcasts) {
    deal(broadcasts, name, "broadcast", first_free);
  }
}

std::string argument_id(std::size_t index) {
  return nth_id(index);
}

}  // namespace sb3lm
