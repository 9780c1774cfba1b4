// Rounding for what a matrix multiplies: sums of inputs, GPTQ against the nearest levels and
// against the best codes there are, and the rules for matrices that know few inputs.
#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <utility>

#include "base/half.h"
#include "quant/gptq.h"
#include "quant/recipe.h"
#include "quant/rtn.h"
#include "runtime_ref/calibration.h"
#include "support/tiny_model.h"

namespace {

using namespace sb3lm;

std::mt19937& dice() {
  static std::mt19937 random(11);
  return random;
}

double gauss() {
  static std::normal_distribution<double> normal;
  return normal(dice());
}

FloatTensor random_matrix(int rows, int cols) {
  FloatTensor matrix{.shape = {rows, cols}};
  for (int i = 0; i < rows * cols; ++i) matrix.values.push_back(static_cast<float>(gauss()));
  return matrix;
}

/// Inputs that lie near a few directions, as those of real matrices do.
InputMoments correlated_inputs(std::size_t size, int count) {
  std::vector<std::vector<double>> directions(size / 3 + 1, std::vector<double>(size));
  for (auto& direction : directions) {
    for (double& x : direction) x = gauss();
  }
  InputMoments moments(size);
  std::vector<double> input(size);
  for (int i = 0; i < count; ++i) {
    for (double& x : input) x = 0.1 * gauss();
    for (const auto& direction : directions) {
      const double share = gauss();
      for (std::size_t j = 0; j < size; ++j) input[j] += share * direction[j];
    }
    moments.add(input);
  }
  return moments;
}

/// The least error of any codes with this row's scale.
double best_error(const FloatTensor& row, const CodedTensor& coded, const InputMoments& moments) {
  const int cols = row.shape.cols, levels = 1 << coded.format.bits;
  CodedTensor trial = coded;
  double best = HUGE_VAL;
  for (int all = 0; all < static_cast<int>(std::pow(levels, cols)); ++all) {
    for (int i = 0, rest = all; i < cols; ++i, rest /= levels) {
      trial.codes[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(rest % levels);
    }
    best = std::min(best, output_error(row, trial, moments));
  }
  return best;
}

}  // namespace

TEST_CASE("moments are the sums of products, however they were added") {
  constexpr std::size_t kSize = 5;
  InputMoments moments(kSize), other(kSize);
  std::vector<double> expected(kSize * kSize, 0.0);
  for (int i = 0; i < 37; ++i) {
    std::vector<double> x(kSize);
    for (double& one : x) one = gauss();
    (i % 3 == 0 ? other : moments).add(x);
    for (std::size_t r = 0; r < kSize; ++r) {
      for (std::size_t c = 0; c < kSize; ++c) expected[r * kSize + c] += x[r] * x[c];
    }
  }
  moments.add(other);
  CHECK(moments.inputs() == 37);
  const std::vector<double> sums = moments.sums();
  for (std::size_t i = 0; i < expected.size(); ++i) {
    CHECK(sums[i] == doctest::Approx(expected[i]).epsilon(1e-12));
  }
}

TEST_CASE("outputs change less than by the nearest levels, at every width") {
  const InputMoments moments = correlated_inputs(48, 400);
  const FloatTensor matrix = random_matrix(30, 48);
  for (int bits = 1; bits <= 8; ++bits) {
    CAPTURE(bits);
    const double nearest = output_error(matrix, quantise_rows(matrix, bits), moments);
    const double gptq = output_error(matrix, quantise_rows_for(matrix, bits, moments, 1), moments);
    CAPTURE(nearest);
    CAPTURE(gptq);
    CHECK(gptq < 0.6 * nearest);
  }
}

TEST_CASE("codes are near the best that there are") {
  double found = 0, best = 0;
  for (int trial = 0; trial < 20; ++trial) {
    const InputMoments moments = correlated_inputs(6, 50);
    const FloatTensor row = random_matrix(1, 6);
    for (const int bits : {1, 2}) {
      const CodedTensor coded = quantise_rows_for(row, bits, moments, 1);
      found += output_error(row, coded, moments);
      best += best_error(row, coded, moments);
    }
  }
  CHECK(found >= best * (1 - 1e-9));
  CHECK(found < 2 * best);
}

TEST_CASE("codes do not depend on threads, and every number is finite for odd inputs") {
  const FloatTensor matrix = random_matrix(21, 40);
  const InputMoments moments = correlated_inputs(40, 100);
  const CodedTensor one = quantise_rows_for(matrix, 3, moments, 1);
  const CodedTensor three = quantise_rows_for(matrix, 3, moments, 3);
  CHECK(one.codes == three.codes);
  CHECK(one.row_scale == three.row_scale);

  FloatTensor odd = matrix;
  std::fill_n(odd.values.begin(), 40, 0.0F);  // a row of zeros
  std::fill_n(odd.values.begin() + 40, 40, 0.5F);
  InputMoments dead(40);
  dead.add(std::vector<double>(40, 0.0));  // inputs that are always zero
  InputMoments single(40);
  std::vector<double> x(40, 0.0);
  x[7] = 1000;
  single.add(x);
  for (const InputMoments* inputs : {&moments, &std::as_const(dead), &std::as_const(single)}) {
    for (const int bits : {1, 2, 8}) {
      const CodedTensor coded = quantise_rows_for(odd, bits, *inputs, 1);
      for (const std::uint16_t scale : coded.row_scale) {
        CHECK(std::isfinite(half_to_double(scale)));
      }
      for (const std::uint8_t code : coded.codes) CHECK(code < 1 << bits);
      CHECK(half_to_double(coded.row_scale[0]) == 0);
    }
  }
}

TEST_CASE("matrices that know few inputs follow the rules") {
  ModelSpec spec;
  spec.tied_head = true;
  Calibration calibration;
  const TensorKey up{Role::expert_up, 0, 0}, other{Role::expert_up, 0, 1};
  InputMoments few = correlated_inputs(12, 3), many = correlated_inputs(12, 90);
  calibration.emplace(up, few);
  calibration.emplace(other, many);
  const QuantiseMatrix quantise = quantiser_for(spec, calibration);
  const FloatTensor matrix = random_matrix(9, 12);
  InputMoments both = few;
  both.add(many);
  CHECK(quantise(up, matrix, 3).codes == quantise_rows_for(matrix, 3, both, 1).codes);
  CHECK(quantise({Role::expert_gate, 0, 0}, matrix, 3).codes ==
        quantise_rows_for(matrix, 3, both, 1).codes);
  CHECK(quantise(other, matrix, 3).codes == quantise_rows_for(matrix, 3, many, 1).codes);
  // a table that nothing multiplies
  CHECK(quantise({Role::bigram_embedding}, matrix, 3).codes == quantise_rows(matrix, 3).codes);
}

TEST_CASE("calibration sees each matrix's inputs, whatever the number of threads") {
  const Model model = tiny_model("tiny-dense");
  SilentProgress silent;
  const Calibration one = calibrate(model, {.tokens = 60, .window = 16, .threads = 1}, silent);
  const Calibration two = calibrate(model, {.tokens = 60, .window = 16, .threads = 2}, silent);
  const int layers = static_cast<int>(model.spec.layers.size());
  REQUIRE(one.size() == static_cast<std::size_t>(4 * layers + 1));
  for (const auto& [key, moments] : one) {
    CHECK(moments.inputs() == 64);  // four windows
    CHECK(moments.sums() == two.at(key).sums());
  }
  const int cols = model.spec.layers[0].feed_forward.hidden;
  CHECK(one.at({Role::down, 0}).size() == static_cast<std::size_t>(cols));
}

TEST_CASE("a recipe rounds for a calibration, and says so") {
  Model model = tiny_model("tiny-dense");
  SilentProgress silent;
  const Recipe recipe{.quantiser = Quantiser::gptq, .float_bits = 3};
  REQUIRE(wants_calibration(model, recipe));
  const Calibration calibration = calibrate(model, {.tokens = 200, .window = 32}, silent);
  const auto floats = std::get<FloatTensor>(model.at({Role::up, 0}));
  apply_recipe(model, recipe, calibration);
  CHECK(model.quantiser == Quantiser::gptq);
  const auto& coded = std::get<CodedTensor>(model.at({Role::up, 0}));
  const InputMoments& inputs = calibration.at({Role::up, 0});
  CHECK(output_error(floats, coded, inputs) <
        output_error(floats, quantise_rows(floats, 3), inputs));
  CHECK(!wants_calibration(model, recipe));  // all are codes now
}
