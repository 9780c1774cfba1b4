#include "runtime_ref/maths.h"

#include <array>
#include <cmath>  // abs, floor, ldexp, sqrt: exact everywhere
#include <cstddef>
#include <limits>
#include <numbers>

#include "base/double_double.h"
#include "base/portable_math.h"

namespace sb3lm::maths {
namespace {

constexpr DoubleDouble kLn2{0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56};
constexpr DoubleDouble kHalfPi{0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54};
constexpr double kHalfPiRest = -0x1.f1976b7ed8fbcp-110;
constexpr DoubleDouble kTwoOverRootPi{0x1.20dd750429b6dp+0, 0x1.1ae3a914fed80p-56};

// value * 2^power
struct Scaled {
  DoubleDouble value;
  int power;
  double rounded() const { return std::ldexp(value.high, power); }
};

// e^x for x from -1 to 1, as exact as the arithmetic.
DoubleDouble exponential_series(DoubleDouble x) {
  DoubleDouble sum{1};
  for (int n = 28; n > 0; --n) sum = DoubleDouble{1} + x * sum / n;
  return sum;
}

constexpr int kSteps = 64;
// ln 2 / kSteps; the first part has 32 bits, so that a whole number times it is exact.
constexpr double kStepHigh = 0x1.62e42feep-7, kStepLow = 0x1.a39ef35793c76p-39;

// 2^(i / kSteps)
const std::array<DoubleDouble, kSteps>& roots_of_two() {
  static const auto roots = [] {
    std::array<DoubleDouble, kSteps> all;
    for (int i = 0; i < kSteps; ++i) {
      const DoubleDouble x = kLn2 * DoubleDouble{static_cast<double>(i) / kSteps};
      all[static_cast<std::size_t>(i)] = exponential_series(x);
    }
    return all;
  }();
  return roots;
}

// Off by less than 2^-70 of its size, for x from -800 to 800: n / kSteps ln 2 + r, and the terms of
// e^r from r^3 on are so small that doubles do for them.
Scaled exponential(DoubleDouble x) {
  const double n = std::floor(x.high * (kSteps * std::numbers::log2e) + 0.5);
  const DoubleDouble r = x - kLn2 * DoubleDouble{n / kSteps};
  const double s = r.high;
  const double rest =
      s * s * s * (1.0 / 6 + s * (1.0 / 24 + s * (1.0 / 120 + s * (1.0 / 720 + s / 5040))));
  const DoubleDouble square = r * r;
  const DoubleDouble power =
      DoubleDouble{1} + (r + DoubleDouble{square.high / 2, square.low / 2} + DoubleDouble{rest});
  const int whole = static_cast<int>(n), step = whole & (kSteps - 1);
  return {roots_of_two()[static_cast<std::size_t>(step)] * power, (whole - step) / kSteps};
}

// One of Newton's steps from an estimate that is off by a few ulp: the rest is below 2^-100.
DoubleDouble logarithm(double x) {
  const double estimate = portable::log(x);
  const auto [value, power] = exponential(DoubleDouble{estimate});
  const DoubleDouble near{std::ldexp(value.high, power), std::ldexp(value.low, power)};
  const DoubleDouble difference = DoubleDouble{x} - near;
  return DoubleDouble{estimate} + (difference + difference) / (DoubleDouble{x} + near);
}

// 1 - s / (k (k + 1)) (1 - s / ((k + 2) (k + 3)) (...)) for s = r^2, up to 0.62: cos r for k = 1,
// sin r / r for k = 2.
DoubleDouble alternating_series(DoubleDouble square, int first) {
  DoubleDouble sum{1};
  for (int k = first + 22; k >= first; k -= 2) {
    sum = DoubleDouble{1} - square * sum / (static_cast<double>(k) * (k + 1));
  }
  return sum;
}

// sin(x + quarters pi / 2)
double sine_after(double x, int quarters) {
  const double n = std::floor(x / kHalfPi.high + 0.5);
  const DoubleDouble r = (DoubleDouble{x} - exact_product(n, kHalfPi.high)) -
                         exact_product(n, kHalfPi.low) - DoubleDouble{n * kHalfPiRest};
  const int turn = (static_cast<int>(std::fmod(n, 4)) + quarters + 4) % 4;
  const DoubleDouble square = r * r;
  const DoubleDouble value =
      turn % 2 == 0 ? r * alternating_series(square, 2) : alternating_series(square, 1);
  return turn < 2 ? value.high : -value.high;
}

// erfc(c + h) as a series in h, for c from 0 to kMostErfc in steps of 1 / kErfcSteps.
constexpr int kErfcSteps = 8;
constexpr int kMostErfc = 5;
constexpr std::size_t kErfcTerms = 18;
struct ErfcSeries {
  DoubleDouble first;
  std::array<double, kErfcTerms> rest;  // of h, h^2, ...
};

// 2 / sqrt(pi) e^(-c^2) times c (1 + 2 c^2 / 3 (1 + 2 c^2 / 5 (...))) is erf(c).
ErfcSeries erfc_series(double c) {
  const double n = std::floor(-c * c * std::numbers::log2e + 0.5);
  const DoubleDouble power = exponential_series(DoubleDouble{-c * c} - kLn2 * DoubleDouble{n});
  const double unit = std::ldexp(1, static_cast<int>(n));
  const DoubleDouble slope = kTwoOverRootPi * DoubleDouble{power.high * unit, power.low * unit};
  DoubleDouble sum{1};
  for (int odd = 401; odd >= 3; odd -= 2)
    sum = DoubleDouble{1} + DoubleDouble{2 * c * c} * sum / odd;
  ErfcSeries series{.first = DoubleDouble{1} - slope * DoubleDouble{c} * sum, .rest = {}};
  // The derivatives of e^(-c^2) are -2 c times the last and -2 k times the one before.
  double last = 0, derivative = -slope.high;
  for (std::size_t n = 0; n < kErfcTerms; ++n) {
    series.rest[n] = derivative / static_cast<double>(n + 1);
    const double next = -2 * (c * derivative + last) / static_cast<double>(n + 1);
    last = derivative;
    derivative = next;
  }
  return series;
}

using ErfcTable = std::array<ErfcSeries, kMostErfc * kErfcSteps + 1>;
const ErfcTable& erfc_table() {
  static const ErfcTable table = [] {
    ErfcTable all;
    for (std::size_t i = 0; i < all.size(); ++i) {
      all[i] = erfc_series(static_cast<double>(i) / kErfcSteps);
    }
    return all;
  }();
  return table;
}

// e^(-x^2) / sqrt(pi) times the continued fraction 1 / (x + (1/2) / (x + (2/2) / (x + ...))).
double erfc_far(double x) {
  double fraction = x;
  for (int k = 60; k > 0; --k) fraction = x + k / 2.0 / fraction;
  if (x > 30) return 0;
  const auto [value, power] = exponential(-exact_product(x, x));
  return std::ldexp(value.high * (kTwoOverRootPi.high / 2) / fraction, power);
}

}  // namespace

double exp(double x) {
  if (x > 710) return std::numeric_limits<double>::infinity();
  if (x < -746) return 0;
  if (x != x) return x;
  // As `exponential`, which doubles do for where only one is wanted.
  const double n = std::floor(x * (kSteps * std::numbers::log2e) + 0.5);
  const double r = (x - n * kStepHigh) - n * kStepLow;
  const double rest = r * r * (0.5 + r * (1.0 / 6 + r * (1.0 / 24 + r * (1.0 / 120 + r / 720))));
  const int whole = static_cast<int>(n), step = whole & (kSteps - 1);
  const DoubleDouble root = roots_of_two()[static_cast<std::size_t>(step)];
  return std::ldexp(root.high + (root.low + root.high * (r + rest)), (whole - step) / kSteps);
}

double log(double x) {
  if (!(x > 0 && x <= std::numeric_limits<double>::max())) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  int power = 0;
  const double m = std::frexp(x, &power);
  if (m < std::numbers::sqrt2 / 2)
    return (logarithm(2 * m) + kLn2 * DoubleDouble{power - 1.0}).high;
  return (logarithm(m) + kLn2 * DoubleDouble{static_cast<double>(power)}).high;
}

double pow(double base, double exponent) {
  return exponential(logarithm(base) * DoubleDouble{exponent}).rounded();
}

double sin(double x) {
  return sine_after(x, 0);
}

double cos(double x) {
  return sine_after(x, 1);
}

double tanh(double x) {
  if (std::abs(x) > 20) return x < 0 ? -1 : 1;
  if (std::abs(x) < 0x1p-30) return x;
  if (std::abs(x) > 0.5) {
    const double rest = 2 / (exp(2 * std::abs(x)) + 1);
    return x < 0 ? rest - 1 : 1 - rest;
  }
  const auto [value, power] = exponential(DoubleDouble{2 * x});
  const double unit = std::ldexp(1, power);
  const DoubleDouble e{value.high * unit, value.low * unit};
  return ((e - DoubleDouble{1}) / (e + DoubleDouble{1})).high;
}

double erfc(double x) {
  if (x < 0) return 2 - erfc(-x);
  if (!(x < kMostErfc)) return x != x ? x : erfc_far(x);
  const auto i = static_cast<std::size_t>(x * kErfcSteps + 0.5);
  const ErfcSeries& series = erfc_table()[i];
  const double h = x - static_cast<double>(i) / kErfcSteps;
  double sum = 0;
  for (std::size_t n = kErfcTerms; n > 0; --n) sum = (sum + series.rest[n - 1]) * h;
  return series.first.high + (series.first.low + sum);
}

}  // namespace sb3lm::maths
