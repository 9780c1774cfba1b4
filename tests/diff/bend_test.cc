// The blocks' activations against correctly rounded ones, as exp_test.cc has it for exp.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "kernels/kernels.h"
#include "runtime_ref/ops.h"
#include "support/block_rig.h"
#include "synth/random.h"

namespace {

using namespace sb3lm;
using namespace sb3lm::blocks;
using sb3lm::test::BlockRig;

static_assert(std::numeric_limits<long double>::digits >= 64);

// Of docs/formats.md, "Numerics": of max(1, |x|), and in ulp of the result, to which the rounded
// argument of exp adds its own size.
constexpr double kAllowedError = 4e-16, kAllowedUlps = 4;
// Where results have all their bits.
constexpr double kRelativeTo = 30;

std::vector<double> in_blocks(Activation activation, const std::vector<double>& arguments) {
  BlockRig rig;
  const auto exp = emit_exp(rig.engine, rig.w);
  const auto activate = emit_activate(rig.engine, rig.w, exp, activation);
  rig.on("go", [&](Script& s) {
    s.call(exp.prepare);
    s.call(activate, 1, static_cast<double>(arguments.size()));
  });
  rig.fill("_act", arguments);
  rig.run("go");
  return rig.numbers("_act");
}

struct Exact {
  long double value, exponent;  // of the e^ in its formula
};

Exact exact(Activation activation, long double x) {
  constexpr long double kRoot = std::numbers::sqrt2_v<long double>;
  if (activation == Activation::gelu) return {x * std::erfc(-x / kRoot) / 2, x * x / 2};
  const long double y = 2 * std::sqrt(2 / std::numbers::pi_v<long double>) *
                        (x + static_cast<long double>(0.044715) * x * x * x);
  return {x / (1 + std::exp(-y)), y};  // (1 + tanh(y / 2)) / 2
}

void check(Activation activation, const std::vector<double>& arguments) {
  const std::vector<double> results = in_blocks(activation, arguments);
  REQUIRE(results.size() == arguments.size());
  double largest = 0;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const double x = arguments[i];
    const auto [value, exponent] = exact(activation, x);
    const auto error = static_cast<double>(std::fabs(results[i] - value));
    largest = std::max(largest, error);
    INFO(fmt::format("f({:a}) is {:.3g} off", x, error));
    CHECK(error <= kAllowedError * std::max(1.0, std::fabs(x)));
    if (std::fabs(x) > kRelativeTo || value == 0) continue;
    const double ulps = kAllowedUlps + 2 * static_cast<double>(std::fabs(exponent));
    CHECK(error <=
          ulps * std::numeric_limits<double>::epsilon() * static_cast<double>(std::fabs(value)));
    CHECK(std::fabs(ops::activate(activation, x) - value) <=
          kAllowedError * std::max(1.0, std::fabs(x)));
  }
  CHECK(largest > 0);  // the measure itself works
}

std::vector<double> arguments() {
  Random random(5);
  std::vector<double> all;
  for (int i = -6000; i <= 6000; ++i) all.push_back(i / 500.0);
  for (int i = 0; i < 20000; ++i) {
    const double size = std::ldexp(random.uniform(), -static_cast<int>(random.bits() % 70));
    all.push_back(i % 2 == 0 ? size : -size);
    all.push_back(40 * (random.uniform() - 0.5));
  }
  return all;
}

}  // namespace

TEST_CASE("gelu, near zero, where it bends and far out") {
  check(Activation::gelu, arguments());
}

TEST_CASE("gelu by tanh") {
  check(Activation::gelu_tanh, arguments());
}

TEST_CASE("activations of the ends") {
  const std::vector<double> ends = {0, 1e3, -1e3, 1e150, -1e150, 1e300, -1e300};
  const std::vector<double> expected = {0, 1e3, 0, 1e150, 0, 1e300, 0};
  for (const Activation activation : {Activation::relu, Activation::gelu, Activation::gelu_tanh}) {
    CHECK(in_blocks(activation, ends) == expected);
    for (std::size_t i = 0; i < ends.size(); ++i) {
      CHECK(ops::activate(activation, ends[i]) == expected[i]);
    }
  }
  CHECK(in_blocks(Activation::relu, {-2, 3, -0.5}) == std::vector<double>{0, 3, 0});
}
