// The kernels in plain C++: what the others are tested against, and what runs where Highway knows
// no better.
#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime_ref/fast_kernels.h"

namespace sb3lm::fast {
namespace {

FixedScale to_fixed(const float* x, std::size_t size, std::int16_t* q) {
  float largest = 0;
  bool finite = true;
  for (std::size_t i = 0; i < size; ++i) {
    finite = finite && std::isfinite(x[i]);
    largest = std::max(largest, std::fabs(x[i]));
  }
  std::fill(q, q + padded_to(size, kBlock), std::int16_t{0});
  FixedScale scale{.step = largest / kLargestFixed};
  if (!finite) scale.step = std::numeric_limits<float>::quiet_NaN();
  // A step so small that its inverse overflows would make nonsense of zeros.
  if (!finite || scale.step < std::numeric_limits<float>::min()) {
    scale.step = finite ? 0 : scale.step;
    return scale;
  }
  const float inverse = 1 / scale.step;
  for (std::size_t i = 0; i < size; ++i) {
    const float rounded = std::nearbyint(x[i] * inverse);
    q[i] = static_cast<std::int16_t>(std::clamp(rounded, -kLargestFixed, kLargestFixed));
    scale.sum += q[i];
  }
  return scale;
}

std::size_t column_at(ColumnOrder order, std::size_t place) {
  const std::size_t block = place / kBlock * kBlock, within = place % kBlock;
  const std::size_t half = kBlock / 2;
  switch (order) {
    case ColumnOrder::reversed8:
      return block + within / 8 * 8 + (7 - within % 8);
    case ColumnOrder::even_odd:
      return block + within % half * 2 + within / half;
    case ColumnOrder::odd_even:
      return block + within % half * 2 + (1 - within / half);
    default:
      return place;
  }
}

void to_planes(const std::int16_t* q, std::size_t padded, ColumnOrder order, Planes out) {
  for (std::size_t place = 0; place < padded; ++place) {
    const int value = q[column_at(order, place)];
    const int high = (value + 128) >> 8;
    out.high[place] = static_cast<std::int8_t>(high);
    out.low[place] = static_cast<std::int8_t>(value - 256 * high);
  }
}

/// What the file stores for column `col`, before flip, step and offset.
int stored_code(const PackedMatrix& w, const std::uint8_t* row, std::size_t col) {
  switch (w.storage) {
    case PackedStorage::bits:
      return row[col / 8] >> (w.high_first ? 7 - col % 8 : col % 8) & 1;
    case PackedStorage::nibbles:
      return row[col / 2] >> (col % 2 == (w.high_first ? 1u : 0u) ? 0 : 4) & 15;
    default:
      return row[col];
  }
}

void multiply(const FixedProduct& job) {
  const PackedMatrix& w = *job.w;
  const auto cols = static_cast<std::size_t>(w.shape.cols);
  const ColumnOrder order = column_order(w);
  std::vector<std::size_t> place(padded_to(cols, kBlock));
  for (std::size_t i = 0; i < place.size(); ++i) place[column_at(order, i)] = i;
  for (std::size_t r = job.first; r < job.last; ++r) {
    const std::uint8_t* row = w.data.data() + r * w.row_bytes();
    for (std::size_t v = 0; v < job.vectors; ++v) {
      std::int64_t sum = 0;
      for (std::size_t col = 0; col < cols; ++col) {
        const std::size_t at = place[col];
        const int q = 256 * job.x[v].high[at] + job.x[v].low[at];
        sum += std::int64_t{stored_code(w, row, col) ^ w.flip} * q;
      }
      const std::int64_t all = w.step * sum + w.offset * job.scale[v].sum;
      job.y[v * job.y_stride + r] =
          static_cast<float>(all) * (w.scale(static_cast<int>(r)) * job.scale[v].step);
    }
  }
}

void multiply_floats(const FloatProduct& job) {
  const auto cols = static_cast<std::size_t>(job.w->shape.cols);
  const auto* weights = reinterpret_cast<const float*>(job.w->data.data());
  for (std::size_t r = job.first; r < job.last; ++r) {
    for (std::size_t v = 0; v < job.vectors; ++v) {
      float sum = 0;
      for (std::size_t c = 0; c < cols; ++c) sum += weights[r * cols + c] * job.x[v][c];
      job.y[v * job.y_stride + r] = sum;
    }
  }
}

void rms_norm(const float* x, const float* w, std::size_t size, float eps, float* out) {
  float sum = 0;
  for (std::size_t i = 0; i < size; ++i) sum += x[i] * x[i];
  const float inverse = 1 / std::sqrt(sum / static_cast<float>(size) + eps);
  for (std::size_t i = 0; i < size; ++i) out[i] = x[i] * inverse * w[i];
}

void swiglu(const float* gate, const float* up, std::size_t size, float* out) {
  for (std::size_t i = 0; i < size; ++i) out[i] = gate[i] / (1 + std::exp(-gate[i])) * up[i];
}

void add_scaled(float factor, const float* x, std::size_t size, float* sum) {
  for (std::size_t i = 0; i < size; ++i) sum[i] += factor * x[i];
}

void attend(const HeadAttention& job) {
  const std::size_t padded = padded_to(job.head_size, kHeadPadding);
  for (std::size_t h = 0; h < job.heads; ++h) {
    const float* q = job.q + h * job.head_size;
    float* score = job.scores + h * padded_to(job.positions, kKvBlock);
    float* out = job.out + h * padded;
    float largest = -std::numeric_limits<float>::infinity();
    for (std::size_t p = job.first; p < job.positions; ++p) {
      const KvBlock& block = job.blocks[p / kKvBlock];
      const std::size_t within = p % kKvBlock;
      const std::int16_t* key = block.keys + job.kv_head * job.head_size * kKvBlock + within;
      score[p] = 0;
      for (std::size_t d = 0; d < job.head_size; ++d)
        score[p] += q[d] * static_cast<float>(key[d * kKvBlock]);
      score[p] = capped(job, score[p] * block.key_steps[job.kv_head * kKvBlock + within]);
      // A NaN is no maximum, but spoils the sum below.
      largest = std::max(largest, score[p]);
    }
    float sum = 0;
    std::fill(out, out + padded, 0.0F);
    for (std::size_t p = job.first; p < job.positions; ++p) {
      const KvBlock& block = job.blocks[p / kKvBlock];
      const std::size_t within = p % kKvBlock;
      const std::int16_t* value = block.values + (within * job.kv_heads + job.kv_head) * padded;
      const float weight = std::exp(score[p] - largest);
      const float factor = weight * block.value_steps[job.kv_head * kKvBlock + within];
      sum += weight;
      for (std::size_t d = 0; d < padded; ++d) out[d] += factor * static_cast<float>(value[d]);
    }
    for (std::size_t d = 0; d < padded; ++d) out[d] /= sum;
  }
}

}  // namespace

ColumnOrder column_order(const PackedMatrix& matrix) {
  switch (matrix.storage) {
    case PackedStorage::bits:
      return matrix.high_first ? ColumnOrder::reversed8 : ColumnOrder::natural;
    case PackedStorage::nibbles:
      return matrix.high_first ? ColumnOrder::odd_even : ColumnOrder::even_odd;
    default:
      return ColumnOrder::natural;
  }
}

const Kernels& scalar_kernels() {
  static constexpr Kernels kKernels{
      .name = "scalar",
      .to_fixed = to_fixed,
      .to_planes = to_planes,
      .multiply = multiply,
      .multiply_floats = multiply_floats,
      .rms_norm = rms_norm,
      .swiglu = swiglu,
      .add_scaled = add_scaled,
      .attend = attend,
  };
  return kKernels;
}

}  // namespace sb3lm::fast
