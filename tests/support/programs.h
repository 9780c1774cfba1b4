// Small hand-made programs, and short names for building blocks in tests.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>

#include "scratch/ir.h"

namespace sb3lm::test {

using scratch::NodePtr;
using scratch::Op;
using scratch::Stack;

template <class... Nodes>
Stack stack(Nodes... nodes) {
  Stack blocks;
  (blocks.push_back(std::move(nodes)), ...);
  return blocks;
}

/// A block with value inputs.
template <class... Nodes>
NodePtr block(Op op, Nodes... inputs) {
  NodePtr node = scratch::make_node(op);
  (node->inputs.push_back(std::move(inputs)), ...);
  return node;
}

/// A block with fields, then value inputs.
template <class... Nodes>
NodePtr with_fields(Op op, std::initializer_list<std::string> fields, Nodes... inputs) {
  NodePtr node = block(op, std::move(inputs)...);
  node->fields = fields;
  return node;
}

NodePtr num(double value);
NodePtr text(const std::string& value);
NodePtr var(const std::string& name);
NodePtr argument(const std::string& name);
NodePtr item(NodePtr index, const std::string& list);
NodePtr add(NodePtr left, NodePtr right);
NodePtr set(const std::string& name, NodePtr value);
NodePtr change(const std::string& name, NodePtr value);
NodePtr append(NodePtr value, const std::string& list);
NodePtr call(const std::string& code, std::initializer_list<NodePtr*> arguments = {});
NodePtr repeat(NodePtr times, Stack body);
NodePtr if_then(NodePtr condition, Stack body);

/// A script under "when flag clicked".
scratch::Script on_flag(Stack body);
scratch::Script on_message(const std::string& message, Stack body);

/// A stage and one sprite without any code.
scratch::Program empty_program();

/// Uses every kind of input, field, mutation and monitor.
scratch::Program sample_program();

}  // namespace sb3lm::test
