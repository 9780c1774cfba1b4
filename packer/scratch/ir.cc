#include "scratch/ir.h"

namespace sb3lm::scratch {

NodePtr make_node(Op op) {
  auto node = std::make_unique<Node>();
  node->op = op;
  return node;
}

NodePtr clone(const Node& node) {
  auto copy = make_node(node.op);
  copy->fields = node.fields;
  copy->text = node.text;
  for (const NodePtr& input : node.inputs) {
    copy->inputs.push_back(input ? clone(*input) : nullptr);
  }
  for (const Stack& body : node.bodies) {
    Stack& to = copy->bodies.emplace_back();
    for (const NodePtr& block : body) to.push_back(clone(*block));
  }
  return copy;
}

std::size_t count_blocks(const Node& node) {
  const bool inside_input = node.op == Op::literal_number || node.op == Op::literal_text ||
                            node.op == Op::variable || node.op == Op::list_contents;
  // The costume menu is a block of its own.
  std::size_t count = inside_input ? 0 : node.op == Op::switch_costume ? 2 : 1;
  for (const NodePtr& input : node.inputs) {
    if (input) count += count_blocks(*input);
  }
  for (const Stack& body : node.bodies) {
    for (const NodePtr& block : body) count += count_blocks(*block);
  }
  return count;
}

}  // namespace sb3lm::scratch
