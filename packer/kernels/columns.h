// Matrices in columns, for projects that preload nothing: vanilla Scratch adds nothing to a list of
// 200,000 items, so the codes of all matrices are dealt out to a number of lists of equal length,
// Workspace::columns. A row's plane takes as many items in each as it has turns: group g of turn t
// is column g - t * columns, and what fills up the last turn is index 1, the table's zero.
#pragma once

#include "kernels/workspace.h"

namespace sb3lm {

/// Turns of a plane of so many groups.
inline int column_turns(int groups, int columns) {
  return (groups + columns - 1) / columns;
}

/// The number of columns that makes multiplying cheapest while no list has more than `most` items.
/// Each matrix: rows times planes, and groups. 0 if there is none.
struct ColumnDemand {
  std::int64_t planes = 0;
  int groups = 0;
};
int choose_columns(const std::vector<ColumnDemand>& demands, std::int64_t most);

/// rows(codes_at, rows, planes, start, scales_at, out_at, turns): as RowsProc in kernels.h, from
/// items `codes_at` of the columns.
using ColumnRowsProc = blocks::Proc<blocks::Num, blocks::Num, blocks::Num, blocks::Num, blocks::Num,
                                    blocks::Num, blocks::Num>;
ColumnRowsProc emit_column_rows(blocks::Sprite& engine, const Workspace& w);

/// append(turns): adds a row from Workspace::codes to the columns, all its planes' turns.
blocks::Proc<blocks::Num> emit_append_to_columns(blocks::Sprite& engine, const Workspace& w);

/// embed(codes_at, scale_at, out_at): one row of a matrix in columns as numbers.
blocks::Proc<blocks::Num, blocks::Num, blocks::Num> emit_column_embed(blocks::Sprite& engine,
                                                                      const Workspace& w, int bits,
                                                                      int cols,
                                                                      const std::string& name);

}  // namespace sb3lm
