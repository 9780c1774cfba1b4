#include "runtime_ref/ops.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "base/half.h"
#include "base/vectors.h"
#include "runtime_ref/maths.h"

namespace sb3lm::ops {
namespace {

std::size_t row_start(const Shape& shape, int row) {
  return static_cast<std::size_t>(row) * static_cast<std::size_t>(shape.cols);
}

void dequantise(const FloatTensor& w, int row, std::span<double> out) {
  const float* values = w.values.data() + row_start(w.shape, row);
  for (std::size_t c = 0; c < out.size(); ++c) out[c] = values[c];
}

void dequantise(const CodedTensor& w, int row, std::span<double> out) {
  const std::uint8_t* codes = w.codes.data() + row_start(w.shape, row);
  const double scale = half_to_double(w.row_scale[static_cast<std::size_t>(row)]);
  const CodeFormat format = w.format;
  for (std::size_t c = 0; c < out.size(); ++c) out[c] = format.level(codes[c]) * scale;
}

}  // namespace

double dot(std::span<const double> a, std::span<const double> b) {
  return ::sb3lm::dot(a.data(), b.data(), a.size());
}

void dequantise_row(const Tensor& w, int row, std::span<double> out) {
  std::visit([&](const auto& tensor) { dequantise(tensor, row, out); }, w);
}

void matvec(const Tensor& w, std::span<const double> x, std::span<double> y) {
  std::vector<double> weights(x.size());
  for (std::size_t r = 0; r < y.size(); ++r) {
    dequantise_row(w, static_cast<int>(r), weights);
    y[r] = dot(weights, x);
  }
}

void rms_norm(const Tensor& w, std::span<const double> x, double eps, std::span<double> out) {
  dequantise_row(w, 0, out);
  const double root = std::sqrt(dot(x, x) / static_cast<double>(x.size()) + eps);
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = x[i] / root * out[i];
}

void plain_norm(std::span<double> x, double eps) {
  const double root = std::sqrt(dot(x, x) / static_cast<double>(x.size()) + eps);
  for (double& value : x) value /= root;
}

void centre(std::span<double> x) {
  const double mean = std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
  for (double& value : x) value -= mean;
}

void exclude(const AttentionSpec& spec, std::span<const double> v, std::span<double> y) {
  const auto size = static_cast<std::size_t>(spec.head_size);
  const std::size_t group = y.size() / v.size();
  for (std::size_t h = 0; h < y.size() / size; ++h) {
    const std::span<double> head = y.subspan(h * size, size);
    std::vector<double> n(size);
    std::copy_n(v.subspan(h / group * size).begin(), size, n.begin());
    const double length = std::max(std::sqrt(dot(n, n)), 1e-12);
    for (double& value : n) value /= length;
    const double along = dot(head, n);
    for (std::size_t i = 0; i < size; ++i) head[i] -= along * n[i];
  }
}

double frequency(const RopeSpec& rope, int j) {
  const double f = maths::pow(rope.base, -2.0 * j / rope.dims);
  if (rope.scaling == RopeScaling::none) return f;
  if (rope.scaling == RopeScaling::linear) return f / rope.scaling_factor;
  const double turns = rope.original_positions * f / (2 * std::numbers::pi);
  const double kept = std::clamp(
      (turns - rope.low_frequency) / (rope.high_frequency - rope.low_frequency), 0.0, 1.0);
  return f * (kept + (1 - kept) / rope.scaling_factor);
}

Rotation rotation_at(const RopeSpec& rope, int position) {
  Rotation rotation;
  if (rope.layout == RopeLayout::none) return rotation;
  for (int j = 0; j < rope.dims / 2; ++j) {
    const double angle = rope.sign * position * frequency(rope, j);
    rotation.cosine.push_back(maths::cos(angle));
    rotation.sine.push_back(maths::sin(angle));
  }
  return rotation;
}

void rope(const RopeSpec& rope, const Rotation& rotation, std::span<double> head) {
  const bool interleaved = rope.layout == RopeLayout::interleaved;
  const std::size_t pairs = rotation.cosine.size();
  for (std::size_t j = 0; j < pairs; ++j) {
    double& first = head[interleaved ? 2 * j : j];
    double& second = head[interleaved ? 2 * j + 1 : j + pairs];
    const double a = first;
    const double b = second;
    first = a * rotation.cosine[j] - b * rotation.sine[j];
    second = a * rotation.sine[j] + b * rotation.cosine[j];
  }
}

void softmax(std::span<double> x) {
  const double largest = *std::max_element(x.begin(), x.end());
  double sum = 0;
  for (double& value : x) {
    value = maths::exp(value - largest);
    sum += value;
  }
  for (double& value : x) value /= sum;
}

double silu(double x) {
  return x / (1 + maths::exp(-x));
}

double activate(Activation activation, double x) {
  switch (activation) {
    case Activation::silu:
      return silu(x);
    case Activation::relu2:
      return x > 0 ? x * x : 0;
    case Activation::leaky_relu2: {
      const double bent = x > 0 ? x : x / 2;
      return bent * bent;
    }
    case Activation::relu:
      return std::max(x, 0.0);
    case Activation::gelu:
      return x * maths::erfc(-x / std::numbers::sqrt2) / 2;  // 1 + erf(y) is erfc(-y)
    case Activation::gelu_tanh:
      return x * (1 + maths::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x))) /
             2;
  }
  return 0;
}

double sigmoid(double x) {
  return 1 / (1 + maths::exp(-x));
}

double capped(double x, double c) {
  return c * maths::tanh(x / c);
}

namespace {

double score(const AttentionSpec& spec, double product) {
  const double scaled = spec.score_scale > 0
                            ? product * spec.score_scale
                            : product / std::sqrt(static_cast<double>(spec.head_size));
  return spec.score_cap > 0 ? capped(scaled, spec.score_cap) : scaled;
}

}  // namespace

void attention(const AttentionSpec& spec, std::span<const double> q, const KvCache& cache,
               std::span<double> out) {
  const auto size = static_cast<std::size_t>(spec.head_size);
  const auto heads = static_cast<std::size_t>(spec.query_heads);
  const std::size_t group = heads / static_cast<std::size_t>(spec.kv_heads);
  const std::size_t positions = cache.positions();
  const auto window = spec.window > 0 ? static_cast<std::size_t>(spec.window) : positions;
  const std::size_t first = positions - std::min(positions, window);
  std::vector<double> weight(positions - first);
  for (std::size_t h = 0; h < heads; ++h) {
    const std::size_t kv = h / group * size;
    for (std::size_t p = 0; p < weight.size(); ++p) {
      weight[p] =
          score(spec, dot(q.subspan(h * size, size), cache.key(first + p).subspan(kv, size)));
    }
    softmax(weight);
    const std::span<double> head = out.subspan(h * size, size);
    std::fill(head.begin(), head.end(), 0.0);
    for (std::size_t p = 0; p < weight.size(); ++p) {
      const std::span<const double> value = cache.value(first + p).subspan(kv, size);
      for (std::size_t i = 0; i < size; ++i) head[i] += weight[p] * value[i];
    }
  }
}

int argmax(std::span<const double> x) {
  return static_cast<int>(std::max_element(x.begin(), x.end()) - x.begin());
}

std::vector<int> top_k(std::span<const double> x, int k) {
  std::vector<int> order(x.size());
  std::iota(order.begin(), order.end(), 0);
  const auto better = [&](int a, int b) {
    const double left = x[static_cast<std::size_t>(a)];
    const double right = x[static_cast<std::size_t>(b)];
    return left != right ? left > right : a < b;
  };
  const auto count = std::min(static_cast<std::size_t>(k), x.size());
  if (count == x.size()) return order;
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                    better);
  order.resize(count);
  std::sort(order.begin(), order.end());
  return order;
}

double choice_margin(std::span<const double> x, std::span<const int> chosen) {
  double in = std::numeric_limits<double>::infinity();
  double out = -std::numeric_limits<double>::infinity();
  double largest = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const bool is_in = std::find(chosen.begin(), chosen.end(), static_cast<int>(i)) != chosen.end();
    if (is_in) in = std::min(in, x[i]);
    if (!is_in) out = std::max(out, x[i]);
    largest = std::max(largest, std::fabs(x[i]));
  }
  if (in == out) return 0;
  return (in - out) / largest;
}

}  // namespace sb3lm::ops
