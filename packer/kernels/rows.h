// Matrices of codes, their bit planes in one list (rows.cc).
#pragma once

#include <map>
#include <string>
#include <utility>

#include "kernels/tuned.h"

namespace sb3lm {

/// rows G(codes_at, rows, planes, start, scales_at, out_at): out = W x for `rows` rows of
/// `planes` x G codes, most significant plane first, x being the vector in the table. Each row
/// starts from start * sum(x), which makes codes signed (see row_start).
using RowsProc =
    blocks::Proc<blocks::Num, blocks::Num, blocks::Num, blocks::Num, blocks::Num, blocks::Num>;

/// rows by T(codes_at, rows, planes, start, scales_at, out_at, turns): the same, G being T * turns.
using TurnedRowsProc = blocks::Proc<blocks::Num, blocks::Num, blocks::Num, blocks::Num, blocks::Num,
                                    blocks::Num, blocks::Num>;

/// Emits each of these procedures when it is first asked for; `ending` goes behind their names.
class RowKernels {
 public:
  RowKernels(blocks::Sprite& engine, const Workspace& w, std::string ending = "")
      : engine_(engine), w_(w), ending_(std::move(ending)) {}
  const RowsProc& of(int groups);

 private:
  RowsProc emit(int groups);
  const TurnedRowsProc& turned(Vm vm, int turn);

  blocks::Sprite& engine_;
  const Workspace& w_;
  std::string ending_;
  std::map<int, RowsProc> of_;
  std::map<std::pair<Vm, int>, TurnedRowsProc> turned_;
};

}  // namespace sb3lm
