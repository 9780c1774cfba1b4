// Compiles reporter blocks.
#pragma once

#include <string>
#include <vector>

#include "runtime_ref/block_eval_expr.h"
#include "scratch/ir.h"

namespace sb3lm::eval {

class ReporterCompiler {
 public:
  /// `procedure` is null in scripts that are under no define.
  ReporterCompiler(World& world, const Actor& actor, const scratch::Procedure* procedure)
      : world_(world), actor_(actor), procedure_(procedure) {}

  /// The reporter in an input, or what an empty slot gives.
  ExprPtr compile(const scratch::Node* node);

  Value* variable(const scratch::Node& node) const;
  ItemList* list(const scratch::Node& node) const;

 private:
  ExprPtr block(const scratch::Node& node);
  ExprPtr input(const scratch::Node& node, std::size_t index);
  ExprPtr sum(const scratch::Node& node);
  ExprPtr item(const scratch::Node& node);
  ExprPtr argument(const scratch::Node& node) const;
  // index = variable + offset; false if the index has another shape.
  bool offset_index(const scratch::Node* index, const Value*& variable, double& offset) const;

  World& world_;
  const Actor& actor_;
  const scratch::Procedure* procedure_;
  int depth_ = 0;
};

/// A literal as the virtual machines hold it.
Value literal_value(const scratch::Node& node);

}  // namespace sb3lm::eval
