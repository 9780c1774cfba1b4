#include "scratch/fields.h"

namespace sb3lm::scratch {
namespace {

using See = std::function<void(FieldKind, std::string&)>;

void visit(Stack& stack, const See& see);

void visit(Node& node, const See& see) {
  const auto& specs = info(node.op).fields;
  for (std::size_t i = 0; i < specs.size() && i < node.fields.size(); ++i) {
    see(specs[i].kind, node.fields[i]);
  }
  for (const NodePtr& input : node.inputs) {
    if (input) visit(*input, see);
  }
  for (Stack& body : node.bodies) visit(body, see);
}

void visit(Stack& stack, const See& see) {
  for (const NodePtr& block : stack) visit(*block, see);
}

}  // namespace

void for_each_field(Target& target, const See& see) {
  for (Procedure& procedure : target.procedures) visit(procedure.body, see);
  for (Script& script : target.scripts) {
    if (script.hat) visit(*script.hat, see);
    visit(script.body, see);
  }
}

}  // namespace sb3lm::scratch
