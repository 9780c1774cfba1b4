// The loops over doubles against plain ones, bit by bit, at every size around whole registers.
#include <doctest/doctest.h>

#include <array>
#include <random>
#include <vector>

#include "base/vectors.h"

using namespace sb3lm;

namespace {

std::vector<double> drawn(std::size_t size) {
  static std::mt19937 dice(5);
  std::normal_distribution<double> normal;
  std::vector<double> numbers(size);
  for (double& number : numbers) number = normal(dice);
  return numbers;
}

}  // namespace

TEST_CASE("sums of products in eight parts") {
  for (std::size_t size = 0; size <= 70; ++size) {
    CAPTURE(size);
    const std::vector<double> a = drawn(size), b = drawn(size);
    std::array<double, 8> parts{};
    for (std::size_t i = 0; i < size; ++i) {
      const volatile double product = a[i] * b[i];
      parts[i % parts.size()] += product;
    }
    double sum = 0;
    for (const double part : parts) sum += part;
    CHECK(dot(a.data(), b.data(), size) == sum);
  }
}

TEST_CASE("multiples are added item by item, and to nothing else") {
  for (std::size_t size = 0; size <= 70; ++size) {
    CAPTURE(size);
    const std::vector<double> x = drawn(size);
    std::vector<double> y = drawn(size + 1), expected = y;
    for (std::size_t i = 0; i < size; ++i) {
      const volatile double product = -0.3 * x[i];
      expected[i] += product;
    }
    add_scaled(y.data(), -0.3, x.data(), size);
    CHECK(y == expected);
  }
}
