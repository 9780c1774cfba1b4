#include "import/matrix_rule.h"

#include <vector>

#include "base/error.h"

namespace sb3lm {
namespace {

/// A line is a row of a matrix or an item of a vector.
std::vector<std::size_t> lines_of(const FusedRows& rows, int lines, int heads,
                                  const TensorName& named) {
  const int blocks = rows.per_head ? heads : 1;
  const int parts = blocks * rows.of;
  if (lines % parts != 0) {
    fail(Fault::bad_input, "{}: tensor '{}': its {} rows are no {} equal parts", named.file,
         named.name, lines, parts);
  }
  const int size = lines / parts;
  std::vector<std::size_t> taken;
  for (int block = 0; block < blocks; ++block) {
    for (int line = rows.from * size; line < rows.to * size; ++line) {
      taken.push_back(static_cast<std::size_t>(block * rows.of * size + line));
    }
  }
  return taken;
}

template <class T>
std::vector<T> gather(const std::vector<T>& from, const std::vector<std::size_t>& lines,
                      std::size_t length) {
  std::vector<T> taken;
  taken.reserve(lines.size() * length);
  for (const std::size_t line : lines) {
    const auto first = from.begin() + static_cast<std::ptrdiff_t>(line * length);
    taken.insert(taken.end(), first, first + static_cast<std::ptrdiff_t>(length));
  }
  return taken;
}

FloatTensor transposed(const FloatTensor& tensor) {
  FloatTensor out{.shape = {tensor.shape.cols, tensor.shape.rows}, .type = tensor.type};
  const auto rows = static_cast<std::size_t>(tensor.shape.rows);
  const auto cols = static_cast<std::size_t>(tensor.shape.cols);
  out.values.reserve(tensor.values.size());
  for (std::size_t col = 0; col < cols; ++col) {
    for (std::size_t row = 0; row < rows; ++row)
      out.values.push_back(tensor.values[row * cols + col]);
  }
  return out;
}

void take_rows(const NameRule& rule, const TensorName& named, int heads, FloatTensor& tensor) {
  int& lines = is_vector(rule.role) ? tensor.shape.cols : tensor.shape.rows;
  const auto taken = lines_of(rule.rows, lines, heads, named);
  tensor.values =
      gather(tensor.values, taken, tensor.values.size() / static_cast<std::size_t>(lines));
  lines = static_cast<int>(taken.size());
}

void take_rows(const NameRule& rule, const TensorName& named, int heads, CodedTensor& tensor) {
  const auto taken = lines_of(rule.rows, tensor.shape.rows, heads, named);
  tensor.codes = gather(tensor.codes, taken, static_cast<std::size_t>(tensor.shape.cols));
  tensor.row_scale = gather(tensor.row_scale, taken, 1);
  tensor.shape.rows = static_cast<int>(taken.size());
}

}  // namespace

Tensor obey_rule(const NameRule& rule, Tensor tensor, const TensorName& named, int heads) {
  auto* plain = std::get_if<FloatTensor>(&tensor);
  if (plain == nullptr && (rule.transposed || rule.plus_one)) {
    fail(Fault::unsupported, "{}: tensor '{}': packed codes cannot be {}", named.file, named.name,
         rule.transposed ? "transposed" : "added to");
  }
  if (rule.transposed) *plain = transposed(*plain);
  if (rule.rows != FusedRows{}) {
    std::visit([&](auto& one) { take_rows(rule, named, heads, one); }, tensor);
  }
  if (rule.plus_one) {
    plain->type = FloatType::f32;  // half formats may not hold the sum
    for (float& value : plain->values) value += 1;
  }
  return tensor;
}

Tensor rows_from(Tensor tensor, int first, int rows) {
  std::vector<std::size_t> lines;
  for (int i = 0; i < rows; ++i) lines.push_back(static_cast<std::size_t>(first + i));
  const auto cut = [&](auto& numbers, Shape& shape) {
    numbers = gather(numbers, lines, static_cast<std::size_t>(shape.cols));
    shape.rows = rows;
  };
  if (auto* plain = std::get_if<FloatTensor>(&tensor)) {
    cut(plain->values, plain->shape);
  } else {
    auto& coded = std::get<CodedTensor>(tensor);
    cut(coded.codes, coded.shape);
    coded.row_scale = gather(coded.row_scale, lines, 1);
  }
  return tensor;
}

Tensor take_row(const Tensor& tensor, int row) {
  const int cols = shape_of(tensor).cols;
  const auto* plain = std::get_if<FloatTensor>(&tensor);
  FloatTensor out{.shape = {1, cols}, .type = plain != nullptr ? plain->type : FloatType::f32};
  for (int col = 0; col < cols; ++col) {
    out.values.push_back(static_cast<float>(weight_at(tensor, row, col)));
  }
  return out;
}

}  // namespace sb3lm
