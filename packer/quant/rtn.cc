#include "quant/rtn.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "base/error.h"
#include "base/half.h"

namespace sb3lm {
namespace {

using Row = std::span<const float>;

// Adding and subtracting it rounds to the nearest integer, halves to even, for |x| < 2^51, and
// unlike nearbyint without a call.
constexpr double kRound = 6755399441055744.0;  // 1.5 * 2^52

// The clip factors, from 1 down. The best step of a normal distribution's row is 0.2 (2 bits) to
// 0.9 (6 bits) of the one that clips nothing, for heavier tails it is smaller; where there are many
// levels little is clipped, but finer steps find a better fit of the largest weights.
constexpr int kFactors = 26;
constexpr double factor_step(int bits) {
  return bits <= 4 ? 0.93 : 0.98;
}
constexpr int kRefinements = 3;
constexpr double kLargestHalf = 65504;
constexpr double kSmallestKept = 0x1p-17;  // a binary16 has 7 bits more before it is nothing

struct Levels {
  double low, high;
  explicit Levels(int bits) : low(-(1 << (bits - 1))), high((1 << (bits - 1)) - 1) {}
  double of(double weight, double inverse) const {
    return std::min(std::max((weight * inverse + kRound) - kRound, low), high);
  }
};

struct Fit {
  std::uint16_t scale = 0;
  double error = 0;
  double best_scale = 0;  // the least squares scale for the levels that `scale` gave
};

// Four sums side by side, in a fixed order, so that the loop can use vector registers.
Fit fit_row(Row row, std::uint16_t scale, const Levels& levels) {
  constexpr std::size_t kLanes = 4;
  const double step = half_to_double(scale);
  const double inverse = 1 / step;
  std::array<double, kLanes> error{}, product{}, square{};
  const auto add = [&](std::size_t lane, double weight) {
    const double level = levels.of(weight, inverse);
    const double off = weight - level * step;
    error[lane] += off * off;
    product[lane] += weight * level;
    square[lane] += level * level;
  };
  std::size_t i = 0;
  for (; i + kLanes <= row.size(); i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) add(lane, row[i + lane]);
  }
  for (; i < row.size(); ++i) add(0, row[i]);
  const auto sum = [](const std::array<double, kLanes>& lanes) {
    return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
  };
  const double squares = sum(square);
  return {scale, sum(error), squares > 0 ? sum(product) / squares : 0};
}

double largest_of(Row row) {
  double largest = 0;
  for (const float weight : row) {
    largest = std::max(largest, std::fabs(static_cast<double>(weight)));
  }
  return largest;
}

double mean_size(Row row) {
  double sum = 0;
  for (const float weight : row) sum += std::fabs(weight);
  return sum / static_cast<double>(row.size());
}

/// The scale that clips nothing, or that of 1 bit.
double whole_scale(Row row, int bits) {
  return bits == 1 ? mean_size(row) : largest_of(row) / Levels(bits).high;
}

/// The scale with the least error: over the clip factors, then towards the least squares scale of
/// the levels found.
std::uint16_t best_scale(Row row, int bits) {
  const Levels levels(bits);
  const double whole = whole_scale(row, bits);
  Fit best;
  const auto consider = [&](double scale) {
    const std::uint16_t half = half_from_double(std::min(scale, kLargestHalf));
    if (half == 0 || half == best.scale) return false;
    const Fit fit = fit_row(row, half, levels);
    if (best.scale != 0 && fit.error >= best.error) return false;
    best = fit;
    return true;
  };
  double factor = 1;
  for (int i = 0; i < kFactors; ++i, factor *= factor_step(bits)) consider(whole * factor);
  for (int i = 0; i < kRefinements; ++i) {
    if (!consider(best.best_scale)) break;
  }
  return best.scale;
}

void append_row(CodedTensor& coded, Row row) {
  const int bits = coded.format.bits;
  const std::uint16_t scale = bits == 1 ? half_from_double(mean_size(row)) : best_scale(row, bits);
  coded.row_scale.push_back(scale);
  const double step = half_to_double(scale);
  const Levels levels(bits);
  for (const float weight : row) {
    const double level = bits == 1   ? (weight < 0 ? 0 : 1)
                         : step == 0 ? -coded.format.offset
                                     : levels.of(weight, 1 / step) - coded.format.offset;
    coded.codes.push_back(static_cast<std::uint8_t>(level));
  }
}

/// Norms and routers take half the room as binary16; left alone if it does not hold them.
void halve(FloatTensor& tensor) {
  const double largest = largest_of(tensor.values);
  const bool fits = std::isfinite(half_to_double(half_from_double(largest))) &&
                    (largest == 0 || largest >= kSmallestKept);
  if (tensor.type == FloatType::f16 || !fits) return;
  tensor.type = FloatType::f16;
  for (float& value : tensor.values) {
    value = static_cast<float>(half_to_double(half_from_double(value)));
  }
}

/// What rounding changes, in sums of squares.
struct Moved {
  double off = 0, all = 0;
  void add(const FloatTensor& before, const CodedTensor& after) {
    const auto cols = static_cast<std::size_t>(before.shape.cols);
    for (std::size_t row = 0; row < after.row_scale.size(); ++row) {
      const double scale = half_to_double(after.row_scale[row]);
      for (std::size_t i = row * cols; i < (row + 1) * cols; ++i) {
        const double weight = before.values[i];
        const double by = after.format.level(after.codes[i]) * scale - weight;
        off += by * by;
        all += weight * weight;
      }
    }
  }
  double share() const { return all > 0 ? std::sqrt(off / all) : 0; }
};

}  // namespace

CodedTensor quantise_rows(const FloatTensor& tensor, int bits) {
  check(bits >= 1 && bits <= 8, "quantise_rows: bits");
  CodedTensor coded{.shape = tensor.shape, .format = CodeFormat::of_bits(bits)};
  const auto cols = static_cast<std::size_t>(tensor.shape.cols);
  coded.codes.reserve(tensor.values.size());
  for (std::size_t first = 0; first < tensor.values.size(); first += cols) {
    append_row(coded, std::span(tensor.values).subspan(first, cols));
  }
  return coded;
}

void require_scales(const TensorKey& key, const FloatTensor& tensor, int bits) {
  const auto cols = static_cast<std::size_t>(tensor.shape.cols);
  double largest = 0;
  int at = 0;
  for (int row = 0; row < tensor.shape.rows; ++row) {
    const Row weights =
        std::span(tensor.values).subspan(static_cast<std::size_t>(row) * cols, cols);
    const double scale = whole_scale(weights, bits);
    if (scale > largest) at = row;
    largest = std::max(largest, scale);
  }
  if (largest == 0 || (largest >= kSmallestKept && largest <= kLargestHalf)) return;
  fail(
      Fault::bad_input,
      "{}: in codes of {} bit{} row {} takes a scale of {:.3g}, and the binary16 that holds it {}; "
      "--bits float keeps such weights",
      tensor_key_text(key), bits, bits == 1 ? "" : "s", at, largest,
      largest > kLargestHalf ? "ends at 65504" : "has hardly a digit for numbers below 8e-6");
}

FloatTensor floats_of(const CodedTensor& tensor) {
  FloatTensor floats{.shape = tensor.shape};
  floats.values.reserve(tensor.codes.size());
  const auto cols = static_cast<std::size_t>(tensor.shape.cols);
  for (std::size_t i = 0; i < tensor.codes.size(); ++i) {
    // Exact: a binary16 scale has 11 significant bits, a level 8.
    floats.values.push_back(static_cast<float>(tensor.format.level(tensor.codes[i]) *
                                               half_to_double(tensor.row_scale[i / cols])));
  }
  return floats;
}

FloatTensor floats_of(const Tensor& tensor) {
  const auto* coded = std::get_if<CodedTensor>(&tensor);
  return coded != nullptr ? floats_of(*coded) : std::get<FloatTensor>(tensor);
}

CodedTensor requantise_rows(const CodedTensor& tensor, int bits) {
  return quantise_rows(floats_of(tensor), bits);
}

CodedTensor nearest_codes(const Tensor& tensor, int bits) {
  const auto* floats = std::get_if<FloatTensor>(&tensor);
  return floats != nullptr ? quantise_rows(*floats, bits)
                           : requantise_rows(std::get<CodedTensor>(tensor), bits);
}

void round_to_nearest(Model& model, const Widths& widths) {
  for (const auto& [key, bits] : widths) {
    Tensor& tensor = model.tensors.at(key);
    tensor = nearest_codes(tensor, bits);
  }
}

void halve_vectors(Model& model) {
  for (auto& [key, tensor] : model.tensors) {
    auto* floats = std::get_if<FloatTensor>(&tensor);
    if (floats != nullptr && (is_vector(key.role) || is_router(key.role))) halve(*floats);
  }
}

void quantise_matrices(Model& model, int bits) {
  Widths widths;
  for (const auto& [key, tensor] : model.tensors) {
    const auto* floats = std::get_if<FloatTensor>(&tensor);
    if (floats == nullptr || is_vector(key.role) || is_router(key.role)) continue;
    require_scales(key, *floats, bits);
    widths[key] = bits;
  }
  round_to_nearest(model, widths);
  halve_vectors(model);
}

double moved_share(const std::map<TensorKey, Tensor>& before, const Model& after) {
  Moved moved;
  for (const auto& [key, tensor] : before) {
    const auto* floats = std::get_if<FloatTensor>(&tensor);
    const auto* coded = std::get_if<CodedTensor>(&after.at(key));
    if (floats != nullptr && coded != nullptr) moved.add(*floats, *coded);
  }
  return moved.share();
}

}  // namespace sb3lm
