// How the forward pass reads matrices, in whatever form they are stored.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/columns.h"
#include "kernels/kernels.h"
#include "kernels/naive.h"
#include "kernels/rows.h"
#include "lower/layout.h"

namespace sb3lm {

/// Emits each leaf kernel that the layout's matrices need once, however many of them use it.
class MatrixBlocks {
 public:
  MatrixBlocks(blocks::Sprite& engine, const Workspace& w, const Layout& layout);

  /// Builds the table of the vector at `in`, as long as `reader`, a matrix of codes, needs it.
  void build_table(blocks::Script& s, blocks::Expr<blocks::Num> in,
                   const TensorPlace& reader) const;

  /// Zeros behind a vector of `size` items. Groups of 8 and padded dot products read a few items
  /// past its end, and a region that vectors of several sizes share may hold an older one's there.
  void clear_padding(blocks::Script& s, const blocks::Expr<blocks::Num>& at, int size) const;

  /// out = W * in for a matrix of m's kind whose codes and scales begin at the given places; the
  /// table holds `in` already, if m is a matrix of codes.
  void multiply(blocks::Script& s, const TensorPlace& m, blocks::Expr<blocks::Num> codes_at,
                blocks::Expr<blocks::Num> scales_at, blocks::Expr<blocks::Num> in,
                blocks::Expr<blocks::Num> out);

  /// out = a row of the table `m`.
  void look_up(blocks::Script& s, const TensorPlace& m, blocks::Expr<blocks::Num> row, int out);

 private:
  struct RowKind {
    Storage storage;
    int bits, cols;
    std::size_t list;
    auto operator<=>(const RowKind&) const = default;
  };
  struct RowProcs {
    std::optional<blocks::Proc<blocks::Num, blocks::Num, blocks::Num>> codes;
    std::optional<blocks::Proc<blocks::Num, blocks::Num>> numbers;
  };
  /// What reads one of several lists of codes.
  struct CodeList {
    CodeList(blocks::Sprite& engine, const Workspace& w, const std::string& ending)
        : workspace(w), rows(engine, workspace, ending) {}
    Workspace workspace;
    RowKernels rows;
  };
  const RowsProc& rows_of(int groups);
  RowsProc emit_rows_in_lists(int groups);
  /// The list that holds the matrix, and its place there.
  std::size_t list_of(const TensorPlace& m) const;
  std::int64_t place_in_list(const TensorPlace& m) const;
  RowProcs row_procs(const TensorPlace& m);
  void emit_kernel(const TensorPlace& matrix);
  int turns_of(const TensorPlace& m) const { return column_turns(m.groups(), layout_.columns); }

  blocks::Sprite& engine_;
  const Workspace& w_;
  const Layout& layout_;
  std::optional<blocks::Proc<blocks::Num, blocks::Num>> table_;
  RowKernels rows_;
  std::vector<std::unique_ptr<CodeList>> lists_;  // empty if there is but one
  std::map<int, RowsProc> rows_in_lists_;
  std::optional<ColumnRowsProc> column_rows_;
  std::map<DotShape, DotProc> dots_;
  std::optional<NaiveProc> naive_codes_, naive_floats_;
  std::map<RowKind, RowProcs> embeds_;
  std::optional<blocks::Var<blocks::Num>> embed_id_;
};

}  // namespace sb3lm
