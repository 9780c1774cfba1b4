#include "lower/matrices.h"

#include <set>

namespace sb3lm {

using namespace blocks;

namespace {

// Not an embedding that is only looked up.
std::set<TensorKey> multiplied(const ForwardSteps& forward) {
  std::set<TensorKey> keys;
  for (const Part& part : forward.parts) {
    const std::vector<int> readers = first_readers(part);
    for (std::size_t i = 0; i < part.steps.size(); ++i) {
      const std::vector<TensorKey>& tensors = part.steps[i].tensors;
      if (readers[i] >= 0) keys.insert(tensors.begin(), tensors.end());
    }
  }
  return keys;
}

}  // namespace

MatrixBlocks::MatrixBlocks(Sprite& engine, const Workspace& w, const Layout& layout)
    : engine_(engine), w_(w), layout_(layout), rows_(engine, w) {
  if (layout.in_lists()) {
    for (const List<Num>& list : layout.code_lists()) {
      Workspace own = w;
      own.codes = list;
      const std::string ending = fmt::format(" list {}", lists_.size() + 1);
      lists_.push_back(std::make_unique<CodeList>(engine, own, ending));
    }
  }
  const std::set<TensorKey> keys = multiplied(layout.forward);
  for (const TensorPlace& matrix : layout.tensors) {
    if (!is_vector(matrix.key.role) && keys.contains(matrix.key)) emit_kernel(matrix);
  }
}

const RowsProc& MatrixBlocks::rows_of(int groups) {
  if (lists_.empty()) return rows_.of(groups);
  const auto known = rows_in_lists_.find(groups);
  if (known != rows_in_lists_.end()) return known->second;
  return rows_in_lists_.emplace(groups, emit_rows_in_lists(groups)).first->second;
}

// Like layers share procedures, so only the place tells in which list a matrix lies.
RowsProc MatrixBlocks::emit_rows_in_lists(int groups) {
  std::vector<RowsProc> own;
  for (const auto& list : lists_) own.push_back(list->rows.of(groups));
  return engine_.define<Num, Num, Num, Num, Num, Num>(
      fmt::format("rows {}", groups),
      {"codes at", "rows", "planes", "start", "scales at", "out at"},
      [&](Script& s, Arg<Num> codes_at, Arg<Num> rows, Arg<Num> planes, Arg<Num> start,
          Arg<Num> scales_at, Arg<Num> out_at) {
        for (std::size_t i = 0; i < own.size(); ++i) {
          const auto before =
              static_cast<double>(static_cast<std::int64_t>(i) * layout_.codes_apart);
          const auto behind = before + static_cast<double>(layout_.codes_apart) + 1;
          s.when(codes_at > before && codes_at < behind, [&](Script& s) {
            s.call(own[i], codes_at - before, rows, planes, start, scales_at, out_at);
          });
        }
      });
}

std::size_t MatrixBlocks::list_of(const TensorPlace& m) const {
  if (lists_.empty() || m.storage != Storage::codes) return 0;
  return static_cast<std::size_t>((m.codes_at - 1) / layout_.codes_apart);
}

std::int64_t MatrixBlocks::place_in_list(const TensorPlace& m) const {
  return m.codes_at - static_cast<std::int64_t>(list_of(m)) * layout_.codes_apart;
}

void MatrixBlocks::emit_kernel(const TensorPlace& matrix) {
  if (matrix.storage == Storage::codes) {
    if (!table_) table_ = emit_table(engine_, w_);
    if (layout_.kernel != Kernel::columns) {
      rows_of(matrix.groups());
    } else if (!column_rows_) {
      column_rows_ = emit_column_rows(engine_, w_);
    }
  } else if (layout_.kernel != Kernel::tables) {
    auto& naive = matrix.is_coded() ? naive_codes_ : naive_floats_;
    if (!naive) naive = emit_naive(engine_, w_, matrix.is_coded() ? w_.codes : w_.scales);
  } else {
    const DotShape shape = dot_shape(matrix.key.role, matrix.shape.cols);
    if (!dots_.contains(shape)) dots_.emplace(shape, emit_dot(engine_, w_, shape));
  }
}

void MatrixBlocks::build_table(Script& s, Expr<Num> in, const TensorPlace& reader) const {
  s.call(*table_, std::move(in), reader.groups());
}

void MatrixBlocks::clear_padding(Script& s, const Expr<Num>& at, int size) const {
  for (int i = size; i < padded_size(size); ++i) s.replace(w_.act, copy(at) + i, 0);
}

void MatrixBlocks::multiply(Script& s, const TensorPlace& m, Expr<Num> codes_at,
                            Expr<Num> scales_at, Expr<Num> in, Expr<Num> out) {
  if (m.storage == Storage::codes && layout_.kernel == Kernel::columns) {
    s.call(*column_rows_, std::move(codes_at), m.shape.rows, m.format.bits,
           row_start(m.format.bits), std::move(scales_at), std::move(out), turns_of(m));
  } else if (m.storage == Storage::codes) {
    s.call(rows_of(m.groups()), std::move(codes_at), m.shape.rows, m.format.bits,
           row_start(m.format.bits), std::move(scales_at), std::move(out));
  } else if (m.storage == Storage::numbers) {
    s.call(*naive_codes_, std::move(codes_at), m.shape.rows, m.shape.cols, std::move(in),
           std::move(out));
  } else if (layout_.kernel != Kernel::tables) {
    s.call(*naive_floats_, std::move(scales_at), m.shape.rows, m.stride, std::move(in),
           std::move(out));
  } else {
    s.call(dots_.at(dot_shape(m.key.role, m.shape.cols)), std::move(scales_at), m.shape.rows,
           std::move(in), std::move(out));
  }
}

MatrixBlocks::RowProcs MatrixBlocks::row_procs(const TensorPlace& m) {
  const RowKind kind{m.storage, m.format.bits, m.shape.cols, list_of(m)};
  const auto known = embeds_.find(kind);
  if (known != embeds_.end()) return known->second;
  const int number = static_cast<int>(embeds_.size()) + 1, width = m.shape.cols;
  const std::string name = number == 1 ? "embed" : fmt::format("embed {}", number);
  RowProcs made;
  if (m.storage == Storage::codes && layout_.kernel == Kernel::columns) {
    made.codes = emit_column_embed(engine_, w_, m.format.bits, width, name);
  } else if (m.storage == Storage::codes) {
    const Workspace& w = lists_.empty() ? w_ : lists_[list_of(m)]->workspace;
    made.codes = emit_embed_codes(engine_, w, m.format.bits, width, name);
  } else if (m.storage == Storage::numbers) {
    Workspace numbers = w_;
    numbers.scales = w_.codes;  // the weights are there
    made.numbers = emit_embed_floats(engine_, numbers, width, name);
  } else {
    made.numbers = emit_embed_floats(engine_, w_, width, name);
  }
  return embeds_.emplace(kind, std::move(made)).first->second;
}

void MatrixBlocks::look_up(Script& s, const TensorPlace& m, Expr<Num> row, int out) {
  if (!embed_id_) embed_id_ = engine_.var<Num>("_embed id");
  const Var<Num>& id = *embed_id_;
  const RowProcs procs = row_procs(m);
  s.set(id, std::move(row));
  if (m.storage == Storage::codes) {
    const bool columns = layout_.kernel == Kernel::columns;
    s.call(*procs.codes,
           id * (m.format.bits * (columns ? turns_of(m) : m.groups())) + place_in_list(m),
           id + m.scales_at, out);
  } else if (m.storage == Storage::numbers) {
    s.call(*procs.numbers, id * m.shape.cols + m.codes_at, out);
  } else {
    s.call(*procs.numbers, id * m.stride + m.scales_at, out);
  }
}

}  // namespace sb3lm
