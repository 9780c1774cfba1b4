#include "quant/gptq.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <span>

#include "base/error.h"
#include "base/half.h"
#include "base/parallel.h"
#include "base/vectors.h"

namespace sb3lm {
namespace {

constexpr double kDamping = 0.01;
// How far weights move towards making up for inputs that are not what they should be. All the way
// takes what is chance in a calibration for a rule: of 1, 0.5 and 0.25, 0.5 has the least loss on
// other text.
constexpr double kCorrection = 0.5;
constexpr double kLargestHalf = 65504;
constexpr double kRound = 6755399441055744.0;  // 1.5 * 2^52: adding it rounds to whole numbers
constexpr int kFactors = 26;
constexpr int kTurns = 4;   // of codes and scale
constexpr int kSweeps = 8;  // over the codes of a row, at most
constexpr std::size_t kRowsTogether = 4;

constexpr double factor_step(int bits) {
  return bits <= 4 ? 0.93 : 0.98;
}

struct Levels {
  CodeFormat format;
  double low, high;
  explicit Levels(int bits)
      : format(CodeFormat::of_bits(bits)),
        low(format.level(0)),
        high(format.level((1 << bits) - 1)) {}
  /// The nearest level, as a number.
  double of(double x) const {
    if (format.step == 2) return x < 0 ? -1 : 1;
    return std::min(std::max((x + kRound) - kRound, low), high);
  }
  std::uint8_t code(double level) const {
    return static_cast<std::uint8_t>((level - format.offset) / format.step);
  }
};

/// A symmetric matrix, row-major, and what GPTQ needs of it.
class Curvature {
 public:
  explicit Curvature(const InputMoments& moments)
      : size_(moments.size()), h_(moments.sums()), order_(size_) {
    const double count = std::max<double>(1, static_cast<double>(moments.inputs()));
    double mean = 0;
    for (double& sum : h_) sum /= count;
    for (std::size_t i = 0; i < size_; ++i) mean += at(i, i);
    mean /= static_cast<double>(size_);
    // Inputs that were always zero say nothing of their weights.
    const double damping = mean > 0 ? kDamping * mean : 1;
    for (std::size_t i = 0; i < size_; ++i) h_[i * size_ + i] += damping;
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::ranges::stable_sort(order_, std::greater(), [&](std::size_t i) { return at(i, i); });
    factor();
  }

  std::size_t size() const { return size_; }
  const std::vector<std::size_t>& order() const { return order_; }
  double at(std::size_t row, std::size_t col) const { return h_[row * size_ + col]; }
  std::span<const double> row(std::size_t i) const {
    return std::span(h_).subspan(i * size_, size_);
  }
  /// Row i of U, the upper factor of the inverse in the order of `order`: H^-1 = U^T U.
  const double* upper(std::size_t i) const { return upper_.data() + i * size_; }

  /// x, which comes and goes in the matrix's order, becomes H^-1 x.
  void divide(std::vector<double>& x) const {
    std::vector<double> sorted(size_), half(size_);
    for (std::size_t i = 0; i < size_; ++i) sorted[i] = x[order_[i]];
    for (std::size_t i = 0; i < size_; ++i) {
      half[i] = dot(upper(i) + i, sorted.data() + i, size_ - i);
    }
    std::fill(sorted.begin(), sorted.end(), 0.0);
    for (std::size_t i = 0; i < size_; ++i) {
      add_scaled(sorted.data() + i, half[i], upper(i) + i, size_ - i);
    }
    for (std::size_t i = 0; i < size_; ++i) x[order_[i]] = sorted[i];
  }

 private:
  /// With J the exchange of first and last: if J H J = L L^T, then H^-1 = U^T U for U = J L^-1 J...
  /// so one factor and one triangular inverse give it.
  void factor() {
    const std::size_t n = size_;
    std::vector<double> lower(n * n, 0.0);
    const auto reversed = [&](std::size_t i) { return order_[n - 1 - i]; };
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j <= i; ++j) lower[i * n + j] = at(reversed(i), reversed(j));
    }
    for (std::size_t i = 0; i < n; ++i) {
      double* const own = lower.data() + i * n;
      for (std::size_t j = 0; j <= i; ++j) {
        const double* const other = lower.data() + j * n;
        const double sum = own[j] - dot(own, other, j);
        own[j] = i == j ? std::sqrt(std::max(sum, 1e-300)) : sum / other[j];
      }
    }
    // inverse of L, row by row
    std::vector<double> inverse(n * n, 0.0);
    for (std::size_t i = 0; i < n; ++i) {
      double* const row = inverse.data() + i * n;
      for (std::size_t k = 0; k < i; ++k) {
        const double factor = lower[i * n + k];
        const double* const earlier = inverse.data() + k * n;
        add_scaled(row, -factor, earlier, k + 1);
      }
      const double diagonal = lower[i * n + i];
      for (std::size_t j = 0; j < i; ++j) row[j] /= diagonal;
      row[i] = 1 / diagonal;
    }
    upper_.assign(n * n, 0.0);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = i; j < n; ++j) {
        upper_[i * n + j] = inverse[(n - 1 - i) * n + (n - 1 - j)];
      }
    }
  }

  std::size_t size_;
  std::vector<double> h_, upper_;
  std::vector<std::size_t> order_;
};

class RowQuantiser {
 public:
  /// `shifts`: see RowsRounder::Parts.
  RowQuantiser(const FloatTensor& tensor, int bits, const Curvature& h,
               std::span<const double> shifts)
      : tensor_(tensor), levels_(bits), bits_(bits), h_(h), n_(h.size()), shifts_(shifts) {}

  /// Writes codes and scales of `count` rows from `first` on.
  void run(std::size_t first, std::size_t count, CodedTensor& out) const {
    std::array<Row, kRowsTogether> rows;
    for (std::size_t r = 0; r < count; ++r) {
      rows[r].weights = wanted(first + r);
      rows[r].scale = best_scale(rows[r].weights);
      rows[r].levels.assign(n_, 0.0);
    }
    carry_errors(std::span(rows).first(count));
    for (std::size_t r = 0; r < count; ++r) {
      if (rows[r].scale != 0) refine(rows[r]);
      write(rows[r], first + r, out);
    }
  }

 private:
  struct Row {
    std::vector<double> weights, levels;  // in the matrix's order
    double scale = 0;
  };

  /// The row's weights, moved such that they make up for what is wrong with the inputs.
  std::vector<double> wanted(std::size_t row) const {
    const float* const own = tensor_.values.data() + row * n_;
    std::vector<double> weights(own, own + n_);
    if (shifts_.empty()) return weights;
    std::vector<double> by(n_, 0.0);
    for (std::size_t i = 0; i < n_; ++i) {
      add_scaled(by.data(), own[i], shifts_.data() + i * n_, n_);
    }
    h_.divide(by);
    for (std::size_t i = 0; i < n_; ++i) weights[i] += by[i];
    return weights;
  }

  static double as_half(double scale) {
    return half_to_double(half_from_double(std::min(scale, kLargestHalf)));
  }

  double weighted_error(const std::vector<double>& w, double scale) const {
    double error = 0;
    for (std::size_t i = 0; i < n_; ++i) {
      const double off = w[i] - scale * levels_.of(w[i] / scale);
      error += h_.at(i, i) * off * off;
    }
    return error;
  }

  double best_scale(const std::vector<double>& w) const {
    double largest = 0, sum = 0;
    for (const double weight : w) {
      largest = std::max(largest, std::fabs(weight));
      sum += std::fabs(weight);
    }
    if (bits_ == 1) return as_half(sum / static_cast<double>(n_));
    double factor = largest / levels_.high, best = 0, least = 0;
    for (int i = 0; i < kFactors; ++i, factor *= factor_step(bits_)) {
      const double scale = as_half(factor);
      if (scale == 0) break;
      const double error = weighted_error(w, scale);
      if (best != 0 && error >= least) continue;
      best = scale;
      least = error;
    }
    return best;
  }

  /// GPTQ: several rows share what is read of U.
  void carry_errors(std::span<Row> rows) const {
    std::array<std::vector<double>, kRowsTogether> left;  // in U's order
    for (std::size_t r = 0; r < rows.size(); ++r) {
      for (const std::size_t col : h_.order()) left[r].push_back(rows[r].weights[col]);
    }
    for (std::size_t i = 0; i < n_; ++i) {
      const double* const u = h_.upper(i);
      for (std::size_t r = 0; r < rows.size(); ++r) {
        Row& row = rows[r];
        if (row.scale == 0) continue;
        double* const w = left[r].data();
        const double level = levels_.of(w[i] / row.scale);
        row.levels[h_.order()[i]] = level;
        const double error = (w[i] - row.scale * level) / u[i];
        add_scaled(w + i + 1, -error, u + i + 1, n_ - i - 1);
      }
    }
  }

  std::vector<double> times_h(const std::vector<double>& x) const {
    std::vector<double> y(n_, 0.0);
    for (std::size_t i = 0; i < n_; ++i) {
      if (x[i] != 0) add_scaled(y.data(), x[i], h_.row(i).data(), n_);
    }
    return y;
  }

  static double dot(const std::vector<double>& a, const std::vector<double>& b) {
    return sb3lm::dot(a.data(), b.data(), a.size());
  }

  void refine(Row& row) const {
    const std::vector<double> hw = times_h(row.weights);
    std::vector<double> hq = times_h(row.levels);
    for (int turn = 0; turn < kTurns; ++turn) {
      const bool scaled = rescale(row, hw, hq);
      const bool changed = change_codes(row, hw, hq);
      if (turn > 0 && !scaled && !changed) break;
    }
    rescale(row, hw, hq);
  }

  /// The scale with the least error for these codes.
  static bool rescale(Row& row, const std::vector<double>& hw, const std::vector<double>& hq) {
    const double square = dot(row.levels, hq);
    if (square <= 0) return false;
    const double scale = as_half(dot(row.levels, hw) / square);
    if (scale == row.scale || scale <= 0) return false;
    row.scale = scale;
    return true;
  }

  /// Coordinate descent over single codes.
  bool change_codes(Row& row, const std::vector<double>& hw, std::vector<double>& hq) const {
    bool any = false;
    for (int sweep = 0; sweep < kSweeps; ++sweep) {
      bool changed = false;
      for (const std::size_t i : h_.order()) {
        const double gradient = hw[i] - row.scale * hq[i];
        const double wanted = row.levels[i] + gradient / (row.scale * h_.at(i, i));
        const double level = levels_.of(wanted);
        const double by = level - row.levels[i];
        // What is as near to two levels stays.
        if (by == 0 || std::fabs(wanted - level) >= std::fabs(wanted - row.levels[i])) continue;
        row.levels[i] = level;
        add_scaled(hq.data(), by, h_.row(i).data(), n_);
        changed = true;
      }
      if (!changed) break;
      any = true;
    }
    return any;
  }

  void write(const Row& row, std::size_t index, CodedTensor& out) const {
    out.row_scale[index] = half_from_double(row.scale);
    for (std::size_t i = 0; i < n_; ++i) {
      const double level = row.scale == 0 ? (bits_ == 1 ? 1 : 0) : row.levels[i];
      out.codes[index * n_ + i] = levels_.code(level);
    }
  }

  const FloatTensor& tensor_;
  Levels levels_;
  int bits_;
  const Curvature& h_;
  std::size_t n_;
  std::span<const double> shifts_;
};

InputMoments of_all_experts(TensorKey key, const Calibration& calibration, std::size_t size) {
  InputMoments all(size);
  for (const auto& [other, moments] : calibration) {
    if (other.role == key.role && other.layer == key.layer) all.add(moments);
  }
  return all;
}

}  // namespace

struct RowsRounder::Parts {
  Curvature h;
  std::vector<double> shifts;  // kCorrection times the mean of (w - x) x^T; empty without
};

RowsRounder::RowsRounder(const InputMoments& moments)
    : parts_(std::make_unique<Parts>(Parts{Curvature(moments), {}})) {
  if (moments.shifts().empty()) return;
  const std::size_t n = moments.size();
  const double share = kCorrection / static_cast<double>(moments.inputs());
  parts_->shifts.resize(n * n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      parts_->shifts[j * n + i] = share * moments.shifts()[i * n + j];
    }
  }
}

RowsRounder::~RowsRounder() = default;
RowsRounder::RowsRounder(RowsRounder&&) noexcept = default;

CodedTensor RowsRounder::round(const FloatTensor& tensor, int bits, int threads) const {
  const Curvature& h = parts_->h;
  check(bits >= 1 && bits <= 8, "RowsRounder: bits");
  check(static_cast<std::size_t>(tensor.shape.cols) == h.size(), "RowsRounder: inputs");
  const auto rows = static_cast<std::size_t>(tensor.shape.rows);
  CodedTensor coded{.shape = tensor.shape,
                    .format = CodeFormat::of_bits(bits),
                    .codes = std::vector<std::uint8_t>(tensor.values.size()),
                    .row_scale = std::vector<std::uint16_t>(rows)};
  const RowQuantiser quantiser(tensor, bits, h, parts_->shifts);
  SilentProgress silent;
  for_each_in_parallel((rows + kRowsTogether - 1) / kRowsTogether, threads, "", silent,
                       [&](std::size_t group) {
                         const std::size_t first = group * kRowsTogether;
                         quantiser.run(first, std::min(kRowsTogether, rows - first), coded);
                       });
  return coded;
}

std::optional<InputMoments> moments_of(const TensorKey& key, const Calibration& calibration,
                                       const Shape& shape, const ModelSpec& spec) {
  const auto own = calibration.find(calibration_key(key));
  if (own == calibration.end() && key.expert < 0) return std::nullopt;
  InputMoments moments =
      own == calibration.end() ? InputMoments(static_cast<std::size_t>(shape.cols)) : own->second;
  if (key.expert >= 0 && moments.inputs() < moments.size()) {
    moments = of_all_experts(calibration_key(key), calibration, moments.size());
  }
  if (moments.inputs() == 0) return std::nullopt;
  if (spec.tied_head && key.role == Role::embedding) moments.add_mean_diagonal();
  return moments;
}

void round_for(Model& model, const Widths& widths, const Calibration& calibration) {
  // Matrices with the same inputs come together and share what is made of those.
  std::vector<TensorKey> keys;
  for (const auto& [key, bits] : widths) keys.push_back(key);
  std::stable_sort(keys.begin(), keys.end(), [](const TensorKey& a, const TensorKey& b) {
    return calibration_key(a) < calibration_key(b);
  });
  TensorKey last;
  std::optional<RowsRounder> rounder;
  for (const TensorKey& key : keys) {
    Tensor& tensor = model.tensors.at(key);
    const FloatTensor exact = floats_of(tensor);
    if (!rounder || calibration_key(key) != last) {
      rounder.reset();
      const auto moments = moments_of(key, calibration, exact.shape, model.spec);
      if (moments) rounder.emplace(*moments);
      last = calibration_key(key);
    }
    const int bits = widths.at(key);
    tensor = rounder ? rounder->round(exact, bits, 0) : quantise_rows(exact, bits);
  }
}

double output_error(const FloatTensor& tensor, const CodedTensor& coded,
                    const InputMoments& moments) {
  const std::vector<double> h = moments.sums();
  const std::size_t n = moments.size();
  double off = 0, all = 0;
  std::vector<double> w(n), e(n);
  for (std::size_t row = 0; row < coded.row_scale.size(); ++row) {
    const double scale = half_to_double(coded.row_scale[row]);
    for (std::size_t i = 0; i < n; ++i) {
      w[i] = tensor.values[row * n + i];
      e[i] = w[i] - scale * coded.format.level(coded.codes[row * n + i]);
    }
    for (std::size_t i = 0; i < n; ++i) {
      double he = 0, hw = 0;
      for (std::size_t j = 0; j < n; ++j) {
        he += h[i * n + j] * e[j];
        hw += h[i * n + j] * w[j];
      }
      off += e[i] * he;
      all += w[i] * hw;
    }
  }
  return all > 0 ? off / all : 0;
}

}  // namespace sb3lm
