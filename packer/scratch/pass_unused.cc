#include "scratch/pass_unused.h"

#include <algorithm>
#include <set>

namespace sb3lm::scratch {
namespace {

using Names = std::set<std::string>;

void collect(const Node& node, Names& used) {
  const auto& specs = info(node.op).fields;
  for (std::size_t i = 0; i < specs.size() && i < node.fields.size(); ++i) {
    if (specs[i].kind == FieldKind::variable || specs[i].kind == FieldKind::list) {
      used.insert(node.fields[i]);
    }
  }
  for (const NodePtr& input : node.inputs) {
    if (input) collect(*input, used);
  }
  for (const Stack& body : node.bodies) {
    for (const NodePtr& block : body) collect(*block, used);
  }
}

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
  for (const Target& target : program.targets) {
    for (const Procedure& procedure : target.procedures) {
      for (const NodePtr& block : procedure.body) collect(*block, used);
    }
    for (const Script& script : target.scripts) {
      if (script.hat) collect(*script.hat, used);
      for (const NodePtr& block : script.body) collect(*block, used);
    }
  }
  for (Target& target : program.targets) {
    drop(target.variables, used);
    drop(target.lists, used);
  }
}

}  // namespace sb3lm::scratch
