// Cuts letters into pieces by patterns (model/cut_pattern.h), in blocks: each alternative is code
// of its own, a set of letters is looked up in a list.
#pragma once

#include <functional>

#include "kernels/cut_tables.h"
#include "scratch/script.h"

namespace sb3lm {

class StepCutter {
 public:
  using Piece = blocks::Proc<blocks::Num, blocks::Num>;

  /// `classes`: those of the letters that are cut. `at_end`: what is cut always ends with them.
  StepCutter(blocks::Sprite& engine, const CutTables& tables,
             const blocks::List<blocks::Num>& classes, bool at_end);

  /// _find pieces 1 (from) (to): calls `piece` with the first and last letter of each piece.
  Piece emit(const Piece& piece);

 private:
  struct Step;  // what is being emitted

  Piece emit_step(int step, const Piece& piece);
  void match(blocks::Script& s, const Step& in);
  void match_runs(blocks::Script& s, const Step& in, const CutAlternative& alternative,
                  std::size_t run);
  void match_run(blocks::Script& s, const Step& in, const CutAlternative& alternative,
                 std::size_t run);
  void require(blocks::Script& s, const Step& in, int set, int count,
               const std::function<void(blocks::Script&)>& then);
  void allow(blocks::Script& s, const Step& in, int set, int count);
  void finish(blocks::Script& s, const Step& in, const CutAlternative& alternative);
  blocks::Expr<blocks::Bool> is_in(const Step& in, int set) const;

  blocks::Sprite& engine_;
  const CutTables& tables_;
  const blocks::List<blocks::Num>& classes_;
  bool at_end_;
  blocks::List<blocks::Num> members_{"_cut sets"};
};

}  // namespace sb3lm
