// The inner loops of the fast engine: one table of functions per instruction set, chosen when the
// program runs, and a table of plain C++ that says what each of them means. Kernels do not throw
// and check nothing.
//
// Products of packed weights are integers. A vector x is rounded once, to q[i] = round(x[i] / step)
// with step = max |x| / 32512, so that |q| fits 16 bits; weights are small integers already. What a
// row sums to is therefore exact, the same in every table and in every order of summation, and
//   |error| <= step / 2 * sum |w|
// before one rounding to float. q travels as two signed bytes, q = 256 * high + low, which is what
// the byte products of today's processors take.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "model/packed.h"

namespace sb3lm::fast {

constexpr std::size_t kBlock = 128;       // columns; planes are padded to it with zeros
constexpr float kLargestFixed = 32512;    // 127 * 256: high stays within a byte
constexpr int kMostColumns = 1 << 16;     // so that sums of codes fit 32 bits
constexpr std::size_t kKvBlock = 64;      // positions
constexpr std::size_t kHeadPadding = 16;  // values' head size is padded to a multiple

/// In which order a plane holds the columns, to suit how a matrix packs them.
enum class ColumnOrder : std::uint8_t {
  natural,    // bytes; bits with the lowest first
  reversed8,  // bits with the highest first: each 8 columns back to front
  even_odd,   // nibbles with the low one first: of each 128 columns the 64 even ones, then the odd
  odd_even,   // nibbles with the high one first
};
constexpr std::size_t kOrders = 4;
ColumnOrder column_order(const PackedMatrix& matrix);

/// One vector in fixed point, in one order; both planes have kBlock-padded length.
struct Planes {
  std::int8_t* high;
  std::int8_t* low;
};

struct FixedScale {
  float step = 0;        // not finite if an element of x is not
  std::int64_t sum = 0;  // of q
};

/// y[v * y_stride + r] = row r of w times vector v, for rows [first, last).
struct FixedProduct {
  const PackedMatrix* w;
  std::size_t first, last;
  const Planes* x;          // [vectors], in column_order(*w)
  const FixedScale* scale;  // [vectors]
  std::size_t vectors;
  float* y;
  std::size_t y_stride;
};

/// The same for float weights; x[v] points to a vector.
struct FloatProduct {
  const PackedMatrix* w;
  std::size_t first, last;
  const float* const* x;
  std::size_t vectors;
  float* y;
  std::size_t y_stride;
};

/// Keys and values of kKvBlock positions, in fixed point with a step for each position and KV head.
struct KvBlock {
  std::int16_t* keys;    // [kv_heads][head_size][kKvBlock]
  std::int16_t* values;  // [kKvBlock][kv_heads][padded head size], zeros in the padding
  float* key_steps;      // [kv_heads][kKvBlock]
  float* value_steps;    // [kv_heads][kKvBlock]
};

/// Attention of the query heads that share one KV head, at the last of `positions` positions, of
/// which those before `first` are not seen.
struct HeadAttention {
  const float* q;  // [heads][head_size], scaled already
  std::size_t heads, head_size, first, positions;
  const KvBlock* blocks;
  std::size_t kv_head, kv_heads;
  float cap;      // of scores, 0: none
  float* scores;  // scratch: [heads][positions rounded up to kKvBlock]
  float* out;     // [heads][padded head size]
};

/// c * tanh(score / c), where there is a cap c.
inline float capped(const HeadAttention& job, float score) {
  return job.cap > 0 ? job.cap * std::tanh(score / job.cap) : score;
}

struct Kernels {
  const char* name;  // "scalar", "AVX2", ...
  /// q in natural order, zeros behind it up to the kBlock-padded length.
  FixedScale (*to_fixed)(const float* x, std::size_t size, std::int16_t* q);
  void (*to_planes)(const std::int16_t* q, std::size_t padded, ColumnOrder order, Planes out);
  void (*multiply)(const FixedProduct&);
  void (*multiply_floats)(const FloatProduct&);
  /// out[i] = x[i] / sqrt(mean(x^2) + eps) * w[i].
  void (*rms_norm)(const float* x, const float* w, std::size_t size, float eps, float* out);
  /// out[i] = gate[i] / (1 + exp(-gate[i])) * up[i].
  void (*swiglu)(const float* gate, const float* up, std::size_t size, float* out);
  /// sum[i] += factor * x[i].
  void (*add_scaled)(float factor, const float* x, std::size_t size, float* sum);
  void (*attend)(const HeadAttention&);
};

const Kernels& scalar_kernels();
/// The best table for this processor.
const Kernels& best_kernels();
/// Every table that this processor can run, the scalar one last.
std::vector<const Kernels*> all_kernels();

inline std::size_t padded_to(std::size_t size, std::size_t multiple) {
  return (size + multiple - 1) / multiple * multiple;
}

}  // namespace sb3lm::fast
