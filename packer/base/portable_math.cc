#include "base/portable_math.h"

#include <array>
#include <cfloat>
#include <cmath>  // floor, frexp, ldexp: exact everywhere
#include <limits>
#include <numbers>

namespace sb3lm::portable {
namespace {

static_assert(FLT_EVAL_METHOD == 0, "doubles must be rounded after every operation");

// ln 2 in two parts: the first has 32 bits, so that a whole number times it is exact.
constexpr double kLn2High = 0x1.62e42feep-1, kLn2Low = 0x1.a39ef35793c76p-33;

// pi / 2 in three parts: the first two have 33 bits each, so that up to 2^20 times one is exact.
constexpr double kQuarterHigh = 0x1.921fb544p+0, kQuarterMiddle = 0x1.0b4611a6p-34,
                 kQuarterLow = 0x1.3198a2e037073p-69;

constexpr auto kInverseFactorials = [] {
  std::array<double, 20> inverse{};
  double factorial = 1;
  for (std::size_t i = 0; i < inverse.size(); ++i) {
    if (i > 0) factorial *= static_cast<double>(i);
    inverse[i] = 1 / factorial;
  }
  return inverse;
}();

// x = m 2^power with m from sqrt(1/2) to sqrt(2), and the logarithm of m: 2 artanh(s) for
// s = (m - 1) / (m + 1), which is at most 0.172, so that the terms left out are below 2^-60.
struct Logarithm {
  double of_m;
  int power;
};

Logarithm take_logarithm(double x) {
  int power = 0;
  double m = std::frexp(x, &power);
  if (m < std::numbers::sqrt2 / 2) m *= 2, --power;
  const double s = (m - 1) / (m + 1), square = s * s;
  double sum = 0;
  for (int odd = 21; odd >= 3; odd -= 2) sum = (sum + 1.0 / odd) * square;
  return {2 * s + 2 * s * sum, power};
}

bool has_logarithm(double x) {
  return x > 0 && x <= std::numeric_limits<double>::max();
}

// r^start / start! - r^(start + 2) / (start + 2)! + ..., over r^start; `square` is r^2, at most
// (pi / 4)^2, so that the terms left out are below 2^-58.
double alternating_series(double square, std::size_t start) {
  double sum = 0;
  for (std::size_t n = start + 14; n > start; n -= 2) {
    sum = (kInverseFactorials[n] - sum) * square;
  }
  return kInverseFactorials[start] - sum;
}

// cos and sin of so many quarters of a turn and r more.
Turn after_quarters(double quarters, double r) {
  const double square = r * r;
  const double cosine = 1 - square * alternating_series(square, 2),
               sine = r - r * square * alternating_series(square, 3);
  switch (static_cast<int>(quarters) & 3) {
    case 0:
      return {cosine, sine};
    case 1:
      return {-sine, cosine};
    case 2:
      return {-cosine, -sine};
    default:
      return {sine, -cosine};
  }
}

}  // namespace

double exp(double x) {
  if (x > 710) return std::numeric_limits<double>::infinity();
  if (x < -746) return 0;
  if (x != x) return x;
  // x = n ln 2 + r; e^r up to r^13, the rest is below 2^-57.
  const double n = std::floor(x * std::numbers::log2e + 0.5);
  const double r = (x - n * kLn2High) - n * kLn2Low;
  double sum = 0;
  for (std::size_t power = 13; power >= 2; --power) sum = sum * r + kInverseFactorials[power];
  return std::ldexp(1 + (r + r * r * sum), static_cast<int>(n));
}

double log(double x) {
  if (!has_logarithm(x)) return std::numeric_limits<double>::quiet_NaN();
  const auto [of_m, power] = take_logarithm(x);
  return power * kLn2High + (of_m + power * kLn2Low);
}

double log2(double x) {
  if (!has_logarithm(x)) return std::numeric_limits<double>::quiet_NaN();
  const auto [of_m, power] = take_logarithm(x);
  return power + of_m * std::numbers::log2e;
}

Turn turn(double x) {
  const double quarters = std::floor(4 * x + 0.5);
  return after_quarters(quarters, 2 * std::numbers::pi * (x - quarters / 4));  // exact up to pi
}

Turn turn_by(double radians) {
  const double quarters = std::floor(radians * (2 / std::numbers::pi) + 0.5);
  const double r = ((radians - quarters * kQuarterHigh) - quarters * kQuarterMiddle);
  return after_quarters(quarters, r - quarters * kQuarterLow);
}

}  // namespace sb3lm::portable
