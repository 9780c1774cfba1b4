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
#include "runtime_ref/engine.h"
#include "runtime_ref/round_in_turn.h"
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

/// A small model with random weights, all of them floats.
Model floats_model(const char* name) {
  Model model = tiny_model(name);
  for (auto& [key, tensor] : model.tensors) tensor = floats_of(tensor);
  return model;
}

/// Windows of tokens drawn from all of the vocabulary.
Windows drawn_text(const Model& model, std::size_t windows) {
  std::uniform_int_distribution<int> token(0, model.spec.vocabulary - 1);
  Windows text(windows, std::vector<int>(40));
  for (auto& window : text) {
    for (int& one : window) one = token(dice());
  }
  return text;
}

/// Sum of the squares by which a model's logits differ on a text.
double logits_off(const Model& exact, const Model& rounded, const std::vector<int>& text) {
  Engine one(exact), other(rounded);
  double sum = 0;
  for (const int token : text) {
    const auto wanted = one.step(token), given = other.step(token);
    for (std::size_t id = 0; id < wanted.size(); ++id) {
      sum += (wanted[id] - given[id]) * (wanted[id] - given[id]);
    }
  }
  return sum;
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
    const double gptq = output_error(matrix, RowsRounder(moments).round(matrix, bits, 1), moments);
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
      const CodedTensor coded = RowsRounder(moments).round(row, bits, 1);
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
  const CodedTensor one = RowsRounder(moments).round(matrix, 3, 1);
  const CodedTensor three = RowsRounder(moments).round(matrix, 3, 3);
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
      const CodedTensor coded = RowsRounder(*inputs).round(odd, bits, 1);
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
  const Shape shape{9, 12};
  InputMoments both = few;
  both.add(many);
  CHECK(moments_of(up, calibration, shape, spec)->sums() == both.sums());
  CHECK(moments_of({Role::expert_gate, 0, 0}, calibration, shape, spec)->sums() == both.sums());
  CHECK(moments_of(other, calibration, shape, spec)->sums() == many.sums());
  // a table that nothing multiplies
  CHECK(!moments_of({Role::bigram_embedding}, calibration, shape, spec));

  Model model;
  const FloatTensor matrix = random_matrix(9, 12);
  const TensorKey gate{Role::expert_gate, 0, 1}, table{Role::bigram_embedding};
  for (const TensorKey& key : {up, other, gate, table}) model.tensors[key] = matrix;
  round_for(model, {{up, 3}, {other, 3}, {gate, 2}, {table, 3}}, calibration);
  const auto codes = [&](const TensorKey& key) {
    return std::get<CodedTensor>(model.at(key)).codes;
  };
  CHECK(codes(up) == RowsRounder(both).round(matrix, 3, 1).codes);
  CHECK(codes(other) == RowsRounder(many).round(matrix, 3, 1).codes);
  CHECK(codes(gate) == RowsRounder(many).round(matrix, 2, 1).codes);
  CHECK(codes(table) == quantise_rows(matrix, 3).codes);
}

TEST_CASE("where inputs should have been others, codes give more of what those would have given") {
  constexpr std::size_t kSize = 24;
  const FloatTensor matrix = random_matrix(20, kSize);
  std::vector<std::vector<double>> wanted, given;
  InputMoments alone(kSize), pairs(kSize);
  for (int i = 0; i < 2000; ++i) {
    std::vector<double> x(kSize);
    for (double& one : x) one = gauss();
    wanted.push_back(x);
    // What is left of the inputs: half as large, and the first item has become the second one's.
    for (double& one : x) one *= 0.5;
    x[0] = x[1] + 0.1 * gauss();
    given.push_back(x);
    alone.add(x);
    pairs.add(x, wanted.back());
  }
  CHECK(alone.sums() == pairs.sums());
  const auto error = [&](const CodedTensor& coded) {
    double sum = 0;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      for (int row = 0; row < matrix.shape.rows; ++row) {
        double off = 0;
        for (std::size_t col = 0; col < kSize; ++col) {
          off += weight_at(matrix, row, static_cast<int>(col)) * wanted[i][col] -
                 weight_at(coded, row, static_cast<int>(col)) * given[i][col];
        }
        sum += off * off;
      }
    }
    return sum;
  };
  CHECK(error(RowsRounder(pairs).round(matrix, 6, 1)) <
        0.6 * error(RowsRounder(alone).round(matrix, 6, 1)));
}

TEST_CASE("calibration sees each matrix's inputs, whatever the number of threads") {
  const Model model = tiny_model("tiny-dense");
  SilentProgress silent;
  Windows text, same;
  const Calibration one =
      calibrate(model, text, {.tokens = 60, .window = 16, .threads = 1}, silent);
  const Calibration two =
      calibrate(model, same, {.tokens = 60, .window = 16, .threads = 2}, silent);
  CHECK(text == same);
  REQUIRE(text.size() == 4);
  const int layers = static_cast<int>(model.spec.layers.size());
  REQUIRE(one.size() == static_cast<std::size_t>(4 * layers + 1));
  for (const auto& [key, moments] : one) {
    CHECK(moments.inputs() == 64);
    CHECK(moments.sums() == two.at(key).sums());
  }
  const int cols = model.spec.layers[0].feed_forward.hidden;
  CHECK(one.at({Role::down, 0}).size() == static_cast<std::size_t>(cols));
  // The text that was written, read.
  const Calibration read = calibrate(model, text, {.window = 16}, silent);
  for (const auto& [key, moments] : one) CHECK(moments.sums() == read.at(key).sums());
}

TEST_CASE("rounding in turn: predictions change less, whatever the number of threads") {
  SilentProgress silent;
  for (const char* const name : {"tiny-dense-untied", "tiny-moe-gated", "tiny-golf592"}) {
    CAPTURE(name);
    const Model exact = floats_model(name);
    Widths widths;
    for (const auto& [key, tensor] : exact.tensors) {
      if (!is_vector(key.role) && !is_router(key.role)) widths[key] = 3;
    }
    const Windows text = drawn_text(exact, 30), other = drawn_text(exact, 1);
    const CalibrationOptions options{.threads = 1};
    Model turns = exact, again = exact, nearest = exact;
    round_in_turn(turns, widths, text, options, silent);
    round_to_nearest(nearest, widths);
    CalibrationOptions threads = options;
    threads.threads = 3;
    round_in_turn(again, widths, text, threads, silent);
    for (const auto& [key, tensor] : turns.tensors) {
      if (!widths.contains(key)) continue;
      const auto& coded = std::get<CodedTensor>(tensor);
      CHECK(coded.codes == std::get<CodedTensor>(again.at(key)).codes);
      CHECK(coded.row_scale == std::get<CodedTensor>(again.at(key)).row_scale);
    }
    // On the text that it was rounded for, better than each matrix for what the exact ones give.
    Windows same = text;
    Model alone = exact;
    round_for(alone, widths, calibrate(exact, same, options, silent));
    CHECK(logits_off(exact, turns, text.front()) < logits_off(exact, alone, text.front()));
    CHECK(logits_off(exact, turns, other.front()) <
          0.9 * logits_off(exact, nearest, other.front()));
  }
}

TEST_CASE("a recipe rounds in turn below 8 bits, and says so") {
  Model model = tiny_model("tiny-dense");
  SilentProgress silent;
  CHECK(quantiser_of(model, {.float_bits = 3}) == Quantiser::gptq);
  CHECK(quantiser_of(model, {}) == Quantiser::nearest);
  CHECK(quantiser_of(model, {.bits = {{{Role::q, 0}, 4}}}) == Quantiser::gptq);
  CHECK(quantiser_of(model, {.quantiser = Quantiser::nearest, .float_bits = 3}) ==
        Quantiser::nearest);
  Widths asked;
  apply_recipe(model, {.float_bits = 3}, [&](Model& given, const Widths& widths) {
    asked = widths;
    round_to_nearest(given, widths);
  });
  CHECK(asked.at({Role::up, 0}) == 3);
  CHECK(model.quantiser == Quantiser::gptq);
  CHECK(quantiser_of(model, {.float_bits = 3}) == Quantiser::nearest);  // all are codes now
}
