// What bends the hidden numbers of a feed-forward, as a part of the procedures that do it.
#pragma once

#include <optional>
#include <string>

#include "kernels/kernels.h"

namespace sb3lm {

/// f(x) of an activation (docs/formats.md has the bounds of errors). Keeps references to w and exp.
class Bend {
 public:
  /// `name` is that of the procedure, whose variables these become.
  Bend(blocks::Sprite& engine, const Workspace& w, const ExpBlocks& exp, Activation activation,
       const std::string& name);

  /// f(x), after blocks that may change x.
  blocks::Expr<blocks::Num> operator()(blocks::Script& s, const blocks::Var<blocks::Num>& x) const;

 private:
  blocks::Expr<blocks::Num> gelu(blocks::Script& s, const blocks::Var<blocks::Num>& x) const;

  const Workspace& w_;
  const ExpBlocks& exp_;
  Activation activation_;
  std::optional<blocks::Var<blocks::Num>> size_, place_;
};

}  // namespace sb3lm
