// The tokens of the conversation, turn by turn, and which of them stay when the context is full.
// Scratch's stop sign can end a script between two turns of any loop, so every loop leaves the
// lists in agreement with each other.
#pragma once

#include "lower/scripts.h"

namespace sb3lm {

class History {
 public:
  History(blocks::Sprite& engine, const ScriptParts& parts);

  /// shift: the oldest whole turns go until the rest leaves a quarter of the context free, but
  /// never the newest; the rest becomes `prompt tokens`, to be run from position 0.
  blocks::Proc<> shift;
  /// start turn: takes `prompt tokens` over as a new turn and leaves there what has to be run.
  blocks::Proc<> start_turn;
  blocks::List<blocks::Num> tokens, turns;  // and how many tokens each turn has

  void clear(blocks::Script& s) const;
  /// One more token of the newest turn.
  void remember(blocks::Script& s, blocks::Expr<blocks::Num> id) const;
  /// The newest turn was none of the conversation.
  void take_back(blocks::Script& s) const;
  /// The most tokens that are left when turns go, and that a message may have after others.
  int most_kept() const;

 private:
  int head_size() const;
  blocks::Proc<> emit_shift(blocks::Sprite& engine) const;
  blocks::Proc<> emit_start_turn(blocks::Sprite& engine) const;

  const ScriptParts& p_;
  blocks::Var<blocks::Num> at_, id_, size_;
};

/// Whether `token` ends a reply.
blocks::Expr<blocks::Bool> is_stop(const Model& model, const blocks::Var<blocks::Num>& token);

}  // namespace sb3lm
