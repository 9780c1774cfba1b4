// Procedures that several operations use.
#pragma once

#include <map>
#include <optional>

#include "lower/layout.h"
#include "lower/matrices.h"
#include "lower/passes/stretches.h"

namespace sb3lm {

class CommonBlocks {
 public:
  /// Keeps references to all of them.
  CommonBlocks(blocks::Sprite& engine, const Workspace& w, const ExpBlocks& exp,
               const Layout& layout);

  blocks::Sprite& engine() { return engine_; }
  const Workspace& w() const { return w_; }
  const ExpBlocks& exp_blocks() const { return exp_; }
  const Layout& layout() const { return layout_; }
  MatrixBlocks& matrices() { return matrices_; }
  const AddProc& add();
  const blocks::Proc<blocks::Num, blocks::Num, blocks::Num>& add_numbers();
  /// Of a vector, or of scores.
  const CapProc& cap(double cap);
  /// The token at each position so far, where steps look up earlier ones.
  const blocks::List<blocks::Num>& tokens();
  bool has_tokens() const { return tokens_.has_value(); }
  /// Zeros, in a loop.
  void clear(blocks::Script& s, int at, int count);
  const blocks::Proc<blocks::Num, blocks::Num, blocks::Num>& gate(Activation activation);
  const blocks::Proc<blocks::Num, blocks::Num>& activate(Activation activation);

 private:
  blocks::Sprite& engine_;
  const Workspace& w_;
  const ExpBlocks& exp_;
  const Layout& layout_;
  std::optional<AddProc> add_;
  std::optional<blocks::Proc<blocks::Num, blocks::Num, blocks::Num>> add_numbers_;
  std::optional<blocks::Proc<blocks::Num>> tanh_;
  std::map<double, CapProc> caps_;
  std::optional<blocks::List<blocks::Num>> tokens_;
  std::optional<blocks::Proc<blocks::Num, blocks::Num>> clear_;
  std::map<Activation, blocks::Proc<blocks::Num, blocks::Num, blocks::Num>> gates_;
  std::map<Activation, blocks::Proc<blocks::Num, blocks::Num>> plain_;
  MatrixBlocks matrices_;
};

}  // namespace sb3lm
