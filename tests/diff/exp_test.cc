// The blocks' exp and tanh against correctly rounded ones: long double has at least 11 bits more
// than the result needs, so an error measured with it is right to a two-thousandth of an ulp.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "kernels/kernels.h"
#include "support/block_rig.h"
#include "synth/random.h"

namespace {

using namespace sb3lm;
using namespace sb3lm::blocks;
using sb3lm::test::BlockRig;

static_assert(std::numeric_limits<long double>::digits >= 64);

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kAllowedUlps = 1, kAllowedTanhUlps = 2;
constexpr double kLargestFinite = 709.782712893384;      // exp of the next double overflows
constexpr double kSmallestNonZero = -745.1332191019411;  // exp of the next lower one is 0

enum class Function { exp, tanh };

// Of every argument, in blocks.
std::vector<double> in_blocks(Function function, const std::vector<double>& arguments) {
  BlockRig rig;
  const auto exp = emit_exp(rig.engine, rig.w);
  const auto tanh = emit_tanh(rig.engine, rig.w, exp);
  const auto values = rig.engine.list<Num>("values");
  const auto at = rig.engine.var<Num>("at");
  rig.on("go", [&](Script& s) {
    s.call(exp.prepare);
    s.set(at, 1);
    s.repeat(values.length(), [&](Script& s) {
      s.call(function == Function::exp ? exp.exp : tanh, values[at + 0]);
      s.replace(values, at + 0, rig.w.exp + 0);
      s.change(at, 1);
    });
  });
  rig.fill("values", arguments);
  rig.run("go");
  return rig.numbers("values");
}

// Distance of two neighbouring doubles at `exact`, of subnormal ones too.
long double ulp_at(long double exact) {
  const int exponent = std::max(std::ilogb(exact), -1022);
  return std::ldexp(1.0L, exponent - 52);
}

struct Worst {
  double ulps = 0, argument = 0;
};

Worst worst_error(Function function, const std::vector<double>& arguments) {
  const std::vector<double> results = in_blocks(function, arguments);
  REQUIRE(results.size() == arguments.size());
  Worst worst;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const auto argument = static_cast<long double>(arguments[i]);
    const long double exact = function == Function::exp ? std::exp(argument) : std::tanh(argument);
    const auto ulps = static_cast<double>(std::fabs(results[i] - exact) / ulp_at(exact));
    if (!(ulps <= worst.ulps)) worst = {ulps, arguments[i]};
  }
  return worst;
}

void check_below_one_ulp(const std::vector<double>& arguments) {
  const Worst worst = worst_error(Function::exp, arguments);
  INFO(fmt::format("exp({:a}) is {:.4f} ulp off", worst.argument, worst.ulps));
  CHECK(worst.ulps < kAllowedUlps);
  CHECK(worst.ulps > 0);  // the measure itself works
}

void check_tanh(const std::vector<double>& arguments) {
  const Worst worst = worst_error(Function::tanh, arguments);
  INFO(fmt::format("tanh({:a}) is {:.4f} ulp off", worst.argument, worst.ulps));
  CHECK(worst.ulps <= kAllowedTanhUlps);
  CHECK(worst.ulps > 0);
}

// `x` and its nearest neighbours.
void add_around(std::vector<double>& arguments, double x, int neighbours) {
  double below = x, above = x;
  arguments.push_back(x);
  for (int i = 0; i < neighbours; ++i) {
    below = std::nextafter(below, -kInfinity);
    above = std::nextafter(above, kInfinity);
    arguments.push_back(below);
    arguments.push_back(above);
  }
}

double between(Random& random, double low, double high) {
  return low + (high - low) * random.uniform();
}

}  // namespace

TEST_CASE("exp over the whole range") {
  Random random(1);
  std::vector<double> arguments;
  for (int i = 0; i < 100000; ++i) {
    arguments.push_back(between(random, -745.13, kLargestFinite));
  }
  check_below_one_ulp(arguments);
}

TEST_CASE("exp where a model uses it") {
  Random random(2);
  std::vector<double> arguments;
  for (int i = 0; i < 50000; ++i) arguments.push_back(between(random, -40, 5));
  check_below_one_ulp(arguments);
}

TEST_CASE("exp near zero") {
  Random random(3);
  std::vector<double> arguments;
  for (int i = 0; i < 20000; ++i) {
    const double size = std::ldexp(random.uniform(), -static_cast<int>(random.bits() % 70));
    arguments.push_back(i % 2 == 0 ? size : -size);
  }
  check_below_one_ulp(arguments);
}

TEST_CASE("exp near the borders of its range reduction") {
  std::vector<double> arguments;
  for (int halves = -2149; halves <= 2047; ++halves) {
    add_around(arguments, static_cast<double>(halves * (std::numbers::ln2_v<long double> / 2)), 3);
  }
  std::erase_if(arguments, [](double x) { return x < kSmallestNonZero || x > kLargestFinite; });
  check_below_one_ulp(arguments);
}

TEST_CASE("exp with subnormal results") {
  Random random(4);
  std::vector<double> arguments;
  for (int i = 0; i < 20000; ++i) arguments.push_back(between(random, kSmallestNonZero, -708.39));
  check_below_one_ulp(arguments);
}

TEST_CASE("exp at the ends") {
  const std::vector<double> results = in_blocks(
      Function::exp, {0.0, -0.0, kLargestFinite, std::nextafter(kLargestFinite, 1000), 711, 1e300,
                      kInfinity, kSmallestNonZero, std::nextafter(kSmallestNonZero, -1000), -746,
                      -1e300, -kInfinity, 5e-324, -5e-324});
  const std::vector<double> expected = {1,         1,         std::exp(kLargestFinite),
                                        kInfinity, kInfinity, kInfinity,
                                        kInfinity, 5e-324,    0,
                                        0,         0,         0,
                                        1,         1};
  REQUIRE(results.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CAPTURE(i);
    if (i == 2) {
      CHECK(results[i] == doctest::Approx(expected[i]).epsilon(1e-15));
    } else {
      CHECK(results[i] == expected[i]);
    }
  }
}

TEST_CASE("tanh, near zero, where it bends and where it is 1") {
  Random random(4);
  std::vector<double> near_zero, bend, flat;
  for (int i = 0; i < 50000; ++i) {
    const double size = std::ldexp(random.uniform(), -static_cast<int>(random.bits() % 70));
    near_zero.push_back(i % 2 == 0 ? size : -size);
    bend.push_back(between(random, -3, 3));
    flat.push_back(between(random, -25, 25));
  }
  for (int n = 1; n < 60; ++n) add_around(bend, n * std::numbers::ln2 / 4, 50);
  check_tanh(near_zero);
  check_tanh(bend);
  check_tanh(flat);
}

TEST_CASE("tanh of the ends") {
  const std::vector<double> ends = {0, 20, -20, 1e300, -1e300, kInfinity, -kInfinity, 5e-324};
  CHECK(in_blocks(Function::tanh, ends) == std::vector<double>{0, 1, -1, 1, -1, 1, -1, 5e-324});
}
