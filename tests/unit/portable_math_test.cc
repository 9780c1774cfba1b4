// The special cases of our own arithmetic; tests/maths holds its accuracy against exact values.
#include "base/portable_math.h"

#include <doctest/doctest.h>

#include <cmath>
#include <initializer_list>
#include <limits>

#include "base/double_double.h"
#include "runtime_ref/maths.h"

using namespace sb3lm;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("exp overflows to infinity, underflows to zero, and passes NaN on") {
  CHECK(portable::exp(0) == 1);
  CHECK(portable::exp(709.7) < kInfinity);
  CHECK(portable::exp(709.8) == kInfinity);
  CHECK(portable::exp(kInfinity) == kInfinity);
  CHECK(portable::exp(-745.1) == std::numeric_limits<double>::denorm_min());
  CHECK(portable::exp(-745.2) == 0);
  CHECK(portable::exp(-kInfinity) == 0);
  CHECK(std::isnan(portable::exp(kNan)));
}

TEST_CASE("log2 is exact for every power of 2, and neither logarithm takes what has none") {
  for (int power = -1074; power < 1024; ++power) {
    CHECK(portable::log2(std::ldexp(1, power)) == power);
  }
  CHECK(portable::log(1) == 0);
  for (const double x : {0.0, -1.0, kInfinity, kNan}) {
    CHECK(std::isnan(portable::log(x)));
    CHECK(std::isnan(portable::log2(x)));
  }
}

TEST_CASE("whole quarters of a turn are exact") {
  const double expected[5][2] = {{1, 0}, {0, 1}, {-1, 0}, {0, -1}, {1, 0}};
  for (int quarters = 0; quarters <= 4; ++quarters) {
    const portable::Turn turn = portable::turn(quarters / 4.0);
    CHECK(turn.cosine == expected[quarters][0]);
    CHECK(turn.sine == expected[quarters][1]);
  }
}

TEST_CASE(
    "an angle's cosine and sine are near those of the engine that judges, and the same floats") {
  for (const double frequency : {1.0, 0.7498942093324559, -0.1, 1.2345678e-3, 2e-5}) {
    bool near = true, same = true;
    const auto compare = [&](double value, double exact) {
      near = near && std::fabs(value - exact) <= 0x1p-51;
      same = same && static_cast<float>(value) == static_cast<float>(exact);
    };
    for (int position = 0; position < 4096; ++position) {
      const double angle = frequency * position;
      const portable::Turn turn = portable::turn_by(angle);
      compare(turn.cosine, maths::cos(angle));
      compare(turn.sine, maths::sin(angle));
      const double far = frequency * position * 255;
      compare(portable::turn_by(far).sine, maths::sin(far));
    }
    CAPTURE(frequency);
    CHECK(near);
    CHECK(same);
  }
}

TEST_CASE("sums and products of two doubles have no error") {
  const DoubleDouble sum = exact_sum(1, 0x1p-80), product = exact_product(1 + 0x1p-40, 1 - 0x1p-40);
  CHECK(sum.high == 1);
  CHECK(sum.low == 0x1p-80);
  CHECK(product.high == 1);
  CHECK(product.low == -0x1p-80);
}
