// Numbers of some 31 digits as the unevaluated sum of two doubles, from + - * and / alone: the same
// bits on every machine. For a few constants, not for speed. Sums, products and quotients are off
// by 2^-102 of their size at most; sizes must stay between 2^-400 and 2^400.
#pragma once

#include <cfloat>

namespace sb3lm {

static_assert(FLT_EVAL_METHOD == 0, "doubles must be rounded after every operation");

struct DoubleDouble {
  double high;  // what both together round to
  double low = 0;
};

/// a + b, exactly (Knuth).
inline DoubleDouble exact_sum(double a, double b) {
  const double sum = a + b, b_part = sum - a;
  return {sum, (a - (sum - b_part)) + (b - b_part)};
}

/// a b, exactly (Dekker): of halves of 26 bits each, whose products have no error.
inline DoubleDouble exact_product(double a, double b) {
  const auto split = [](double value) -> DoubleDouble {
    const double shifted = value * 134217729.0, high = shifted - (shifted - value);  // 2^27 + 1
    return {high, value - high};
  };
  const DoubleDouble x = split(a), y = split(b);
  const double product = a * b;
  return {product, ((x.high * y.high - product) + x.high * y.low + x.low * y.high) + x.low * y.low};
}

inline DoubleDouble operator-(DoubleDouble a) {
  return {-a.high, -a.low};
}

inline DoubleDouble operator+(DoubleDouble a, DoubleDouble b) {
  const DoubleDouble high = exact_sum(a.high, b.high), low = exact_sum(a.low, b.low);
  const DoubleDouble sum = exact_sum(high.high, high.low + low.high);
  return exact_sum(sum.high, sum.low + low.low);
}

inline DoubleDouble operator-(DoubleDouble a, DoubleDouble b) {
  return a + -b;
}

inline DoubleDouble operator*(DoubleDouble a, DoubleDouble b) {
  const DoubleDouble high = exact_product(a.high, b.high);
  return exact_sum(high.high, high.low + (a.high * b.low + a.low * b.high));
}

inline DoubleDouble operator/(DoubleDouble a, double b) {
  const double quotient = a.high / b;
  const DoubleDouble rest = a - exact_product(quotient, b);
  return exact_sum(quotient, rest.high / b);
}

inline DoubleDouble operator/(DoubleDouble a, DoubleDouble b) {
  const double first = a.high / b.high;
  return DoubleDouble{first} + (a - b * DoubleDouble{first}) / b.high;
}

}  // namespace sb3lm
