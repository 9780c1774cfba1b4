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
  const std::set<TensorKey> keys = multiplied(layout.forward);
  for (const TensorPlace& matrix : layout.tensors) {
    if (!is_vector(matrix.key.role) && keys.contains(matrix.key)) emit_kernel(matrix);
  }
}

void MatrixBlocks::emit_kernel(const TensorPlace& matrix) {
  if (matrix.storage == Storage::codes) {
    if (!table_) table_ = emit_table(engine_, w_);
    if (layout_.kernel != Kernel::columns) {
      rows_.of(matrix.groups());
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
    s.call(rows_.of(m.groups()), std::move(codes_at), m.shape.rows, m.format.bits,
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

void MatrixBlocks::look_up(Script& s, const TensorPlace& m, const Arg<Num>& token, int out) const {
  const int width = m.shape.cols;
  const auto id = engine_.var<Num>("_embed id");
  s.set(id, token + 0);
  if (m.storage == Storage::codes && layout_.kernel == Kernel::columns) {
    const auto row = emit_column_embed(engine_, w_, m.format.bits, width);
    s.call(row, id * (m.format.bits * turns_of(m)) + m.codes_at, id + m.scales_at, out);
  } else if (m.storage == Storage::codes) {
    const auto row = emit_embed_codes(engine_, w_, m.format.bits, width);
    s.call(row, id * (m.groups() * m.format.bits) + m.codes_at, id + m.scales_at, out);
  } else if (m.storage == Storage::numbers) {
    Workspace numbers = w_;
    numbers.scales = w_.codes;  // the weights are there
    s.call(emit_embed_floats(engine_, numbers, width), id * width + m.codes_at, out);
  } else {
    s.call(emit_embed_floats(engine_, w_, width), id * m.stride + m.scales_at, out);
  }
}

}  // namespace sb3lm
