#include "quant/rtn.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "base/error.h"
#include "base/half.h"

namespace sb3lm {
namespace {

std::uint16_t row_scale(std::span<const float> row, int bits) {
  double sum = 0, largest = 0;
  for (const float weight : row) {
    sum += std::fabs(weight);
    largest = std::max(largest, std::fabs(static_cast<double>(weight)));
  }
  return half_from_double(bits == 1 ? sum / static_cast<double>(row.size())
                                    : largest / ((1 << (bits - 1)) - 1));
}

std::uint8_t code_of(double weight, double scale, const CodeFormat& format) {
  if (format.bits == 1) return weight < 0 ? 0 : 1;
  const int limit = (1 << (format.bits - 1)) - 1;
  const double level = scale == 0 ? 0 : std::nearbyint(weight / scale);
  return static_cast<std::uint8_t>(static_cast<int>(std::clamp(level, -1.0 * limit, 1.0 * limit)) -
                                   format.offset);
}

}  // namespace

CodedTensor quantise_rows(const FloatTensor& tensor, int bits) {
  check(bits >= 1 && bits <= 8, "quantise_rows: bits");
  CodedTensor coded{.shape = tensor.shape, .format = CodeFormat::of_bits(bits)};
  const auto cols = static_cast<std::size_t>(tensor.shape.cols);
  coded.codes.reserve(tensor.values.size());
  for (std::size_t first = 0; first < tensor.values.size(); first += cols) {
    const auto row = std::span(tensor.values).subspan(first, cols);
    coded.row_scale.push_back(row_scale(row, bits));
    const double scale = half_to_double(coded.row_scale.back());
    for (const float weight : row) coded.codes.push_back(code_of(weight, scale, coded.format));
  }
  return coded;
}

void quantise_matrices(Model& model, int bits) {
  for (auto& [key, tensor] : model.tensors) {
    const auto* floats = std::get_if<FloatTensor>(&tensor);
    if (floats == nullptr || floats->shape.rows == 1 || key.role == Role::router) continue;
    tensor = quantise_rows(*floats, bits);
  }
}

}  // namespace sb3lm
