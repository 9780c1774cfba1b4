// In double-double arithmetic: what is rounded in the end is off by less than 2^-85 of its size, so
// it would have to lie that close to the middle between two doubles to be rounded wrongly.
// tests/maths holds 199,680 constants against exact arithmetic; none is wrong.
#include "kernels/rope_constants.h"

#include "base/double_double.h"
#include "base/portable_math.h"

namespace sb3lm {
namespace {

// base^(-1 / n), the root of base x^n = 1. Newton's step squares the error: the first estimate has
// 50 bits, the second 90, the third what the arithmetic has.
DoubleDouble inverse_root(double base, int n) {
  DoubleDouble root{portable::exp(-portable::log(base) / n)};
  for (int step = 0; step < 2; ++step) {
    DoubleDouble product{base};
    for (int i = 0; i < n; ++i) product = product * root;
    root = root + root * ((DoubleDouble{1} - product) / n);
  }
  return root;
}

// 1 - s / (k (k + 1)) (1 - s / ((k + 2) (k + 3)) (...)) for s = x^2, up to 1: cos x for k = 1,
// sin x / x for k = 2. The terms left out are below 2^-110.
DoubleDouble alternating_series(DoubleDouble square, int first) {
  DoubleDouble sum{1};
  for (int k = first + 28; k >= first; k -= 2) {
    sum = DoubleDouble{1} - square * sum / (static_cast<double>(k) * (k + 1));
  }
  return sum;
}

// 1 / (2 pi).
constexpr DoubleDouble kTurnsPerRadian{0x1.45f306dc9c883p-3, -0x1.6b01ec5417056p-57};

DoubleDouble scaled(const RopeSpec& rope, DoubleDouble frequency) {
  if (rope.scaling == RopeScaling::none) return frequency;
  const DoubleDouble stretched = frequency / rope.scaling_factor;
  if (rope.scaling == RopeScaling::linear) return stretched;
  const DoubleDouble original{static_cast<double>(rope.original_positions)};
  const DoubleDouble low{rope.low_frequency}, high{rope.high_frequency};
  const DoubleDouble turns = frequency * original * kTurnsPerRadian;
  if ((turns - low).high <= 0) return stretched;
  if ((high - turns).high <= 0) return frequency;
  const DoubleDouble kept = (turns - low) / (high - low);
  return frequency * kept + stretched * (DoubleDouble{1} - kept);
}

}  // namespace

RopeConstants rope_constants(const RopeSpec& rope, int doublings) {
  RopeConstants constants;
  const DoubleDouble ratio = inverse_root(rope.base, rope.dims / 2);
  DoubleDouble unscaled{1};
  for (int j = 0; j < rope.dims / 2; ++j) {
    const DoubleDouble angle = scaled(rope, unscaled);
    const DoubleDouble square = angle * angle;
    DoubleDouble cosine = alternating_series(square, 1),
                 sine = angle * alternating_series(square, 2);
    for (int i = 0; i < doublings; ++i) {
      const DoubleDouble product = sine * cosine;
      cosine = cosine * cosine - sine * sine;
      sine = product + product;
    }
    constants.cosine.push_back(cosine.high);
    constants.sine.push_back(rope.sign * sine.high);
    unscaled = unscaled * ratio;
  }
  return constants;
}

}  // namespace sb3lm
