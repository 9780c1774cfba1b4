#include "synth/weights.h"

#include <algorithm>
#include <cmath>

#include "base/half.h"
#include "base/portable_math.h"
#include "synth/random.h"

namespace sb3lm {
namespace {

double mean_size(const std::vector<double>& row) {
  double sum = 0;
  for (const double value : row) sum += std::fabs(value);
  return sum / static_cast<double>(row.size());
}

double largest_size(const std::vector<double>& row) {
  double largest = 0;
  for (const double value : row) largest = std::max(largest, std::fabs(value));
  return largest;
}

double row_step(const std::vector<double>& row, int bits) {
  if (bits == 1) return mean_size(row);
  // Wider ones are symmetric, as parameter golf's are.
  return largest_size(row) / (bits == 3 ? 4 : (1 << (bits - 1)) - 1);
}

int level_of(double value, double scale, int bits) {
  if (bits == 1) return value < 0 ? -1 : 1;
  const int half_range = 1 << (bits - 1);
  return std::clamp(static_cast<int>(std::nearbyint(value / scale)), -half_range, half_range - 1);
}

/// Logits are the dot product of a normalised vector with a row: this makes them spread by 3.
double vocabulary_std(int width) {
  return 3 / std::sqrt(width);
}

}  // namespace

/// Makes the rows one after the other and hands each to `take`.
template <class Take>
void WeightSource::each_row(const TensorKey& key, Shape shape, Take take) const {
  TensorKey seed_key = key;
  if (key.layer >= 0) seed_key.layer = model_.spec.layers[static_cast<std::size_t>(key.layer)].id;
  Random random = random_for(options_.seed, seed_key);
  double std = model_.weight_std > 0 ? model_.weight_std : 1 / std::sqrt(shape.cols);
  if (is_vocabulary_matrix(key.role)) std = vocabulary_std(shape.cols);
  if (is_router(key.role)) std = 1.5 / std::sqrt(shape.cols);
  std::vector<double> row(static_cast<std::size_t>(shape.cols));
  for (int i = 0; i < shape.rows; ++i) {
    const double row_std = std * portable::exp(0.15 * random.normal());
    for (double& value : row) {
      value = row_std * (options_.student5 ? random.student5() : random.normal());
    }
    take(row);
  }
}

std::vector<float> WeightSource::plain(const TensorKey& key, Shape shape) const {
  std::vector<float> values;
  if (about(key.role).kind == RoleKind::norm) {
    TensorKey seed_key = key;
    if (key.layer >= 0) seed_key.layer = model_.spec.layers[static_cast<std::size_t>(key.layer)].id;
    Random random = random_for(options_.seed, seed_key);
    for (int i = 0; i < shape.cols; ++i) {
      values.push_back(static_cast<float>(0.8 + 0.4 * random.uniform()));
    }
    return values;
  }
  each_row(key, shape, [&values](const std::vector<double>& row) {
    for (const double value : row) values.push_back(static_cast<float>(value));
  });
  return values;
}

CodedTensor WeightSource::quantised(const TensorKey& key, Shape shape, int bits) const {
  CodedTensor matrix{.shape = shape, .format = CodeFormat::of_bits(bits)};
  matrix.codes.reserve(static_cast<std::size_t>(shape.rows) * static_cast<std::size_t>(shape.cols));
  each_row(key, shape, [&matrix, bits](const std::vector<double>& row) {
    const std::uint16_t bits16 = half_from_double(row_step(row, bits));
    const double scale = half_to_double(bits16);
    matrix.row_scale.push_back(bits16);
    const CodeFormat& format = matrix.format;
    for (const double value : row) {
      const int level = level_of(value, scale, bits);
      matrix.codes.push_back(static_cast<std::uint8_t>((level - format.offset) / format.step));
    }
  });
  return matrix;
}

}  // namespace sb3lm
