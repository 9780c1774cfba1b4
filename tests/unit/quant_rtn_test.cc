// Rounding to the nearest level, and the search for the scale that leaves the least error.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/half.h"
#include "quant/rtn.h"
#include "support/random_model.h"
#include "support/tiny_model.h"

namespace {

using namespace sb3lm;
using namespace sb3lm::test;

FloatTensor row_of(std::vector<float> values) {
  const int cols = static_cast<int>(values.size());
  return {.shape = {1, cols}, .values = std::move(values)};
}

}  // namespace

TEST_CASE("one bit: the sign, and the mean magnitude") {
  const CodedTensor coded = quantise_rows(row_of({1, -2, 3, -4, 0}), 1);
  CHECK(coded.codes == std::vector<std::uint8_t>{1, 0, 1, 0, 1});
  CHECK(half_to_double(coded.row_scale[0]) == 2);
  CHECK(weight_at(Tensor(coded), 0, 1) == -2);
}

TEST_CASE("four bits: weights on levels stay exact, halves go to even, -8 is a level too") {
  const CodedTensor coded = quantise_rows(row_of({7, -7, 3, -4, 0, 1}), 4);
  CHECK(half_to_double(coded.row_scale[0]) == 1);
  CHECK(coded.codes == std::vector<std::uint8_t>{15, 1, 11, 4, 8, 9});
  const CodedTensor whole = quantise_rows(row_of({7, -8, 3, -5, 0, 1}), 4);
  CHECK(half_to_double(whole.row_scale[0]) == 1);
  CHECK(whole.codes == std::vector<std::uint8_t>{15, 0, 11, 3, 8, 9});
}

TEST_CASE("weights whose row scales binary16 cannot hold are refused by name") {
  const auto refusal = [](std::vector<float> values, int bits) -> std::string {
    try {
      require_scales({Role::q, 3}, row_of(std::move(values)), bits);
    } catch (const Error& problem) {
      CHECK(problem.fault == Fault::bad_input);
      return problem.what();
    }
    return "";
  };
  CHECK(refusal({0.5F, -0.25F}, 8).empty());
  CHECK(refusal({0, 0}, 8).empty());
  CHECK(refusal({0.002F, 1e-9F}, 8).empty());
  CHECK(refusal({8e6F}, 8).empty());
  CHECK(refusal({1e-5F, -1e-6F}, 1)
            .find("layer 3 q: in codes of 1 bit row 0 takes a scale of 5.5e-06") == 0);
  CHECK(refusal({1e-4F}, 8).find("layer 3 q: in codes of 8 bits row 0 takes a scale of 7.87e-07") ==
        0);
  CHECK(refusal({1e30F, 0}, 1).find("the binary16 that holds it ends at 65504; --bits float") !=
        std::string::npos);
  CHECK(refusal({9e6F}, 8).find("ends at 65504") != std::string::npos);
}

TEST_CASE("every weight has the code of the level nearest to it") {
  Random random(4);
  for (int bits = 2; bits <= 8; ++bits) {
    CAPTURE(bits);
    const FloatTensor tensor = random_floats(random, {20, 33}, FloatType::f32);
    const CodedTensor coded = quantise_rows(tensor, bits);
    REQUIRE(coded.codes.size() == tensor.values.size());
    REQUIRE(coded.row_scale.size() == 20);
    for (std::size_t i = 0; i < coded.codes.size(); ++i) {
      const double scale = half_to_double(coded.row_scale[i / 33]);
      const double off = std::fabs(coded.format.level(coded.codes[i]) * scale - tensor.values[i]);
      for (int code = 0; code < 1 << bits; ++code) {
        const double other = std::fabs(coded.format.level(code) * scale - tensor.values[i]);
        CHECK(off <= other + 1e-12);
      }
    }
  }
}

namespace {

double squared_error(const FloatTensor& exact, const CodedTensor& coded) {
  double sum = 0;
  for (int row = 0; row < exact.shape.rows; ++row) {
    for (int col = 0; col < exact.shape.cols; ++col) {
      const double off = weight_at(exact, row, col) - weight_at(coded, row, col);
      sum += off * off;
    }
  }
  return sum;
}

/// Rounding with the scale that clips nothing.
double squared_error_unclipped(const FloatTensor& exact, int bits) {
  const int limit = (1 << (bits - 1)) - 1;
  double sum = 0;
  for (int row = 0; row < exact.shape.rows; ++row) {
    double largest = 0;
    for (int col = 0; col < exact.shape.cols; ++col) {
      largest = std::max(largest, std::fabs(weight_at(exact, row, col)));
    }
    const double scale = half_to_double(half_from_double(largest / limit));
    for (int col = 0; col < exact.shape.cols; ++col) {
      const double weight = weight_at(exact, row, col);
      const double off =
          weight - std::clamp<double>(std::nearbyint(weight / scale), -limit, limit) * scale;
      sum += off * off;
    }
  }
  return sum;
}

}  // namespace

// Expected: the error over that of the scale max |w| / limit, as ARCHITECTURE.md states it.
TEST_CASE("the clip search against the scale that clips nothing, rows of 768 normal weights") {
  Random random(9);
  const FloatTensor tensor = random_floats(random, {48, 768}, FloatType::f32);
  const double expected[] = {0, 0, 0.20, 0.37, 0.59, 0.77, 0.89, 0.96, 0.99};
  for (int bits = 2; bits <= 8; ++bits) {
    const double ratio =
        squared_error(tensor, quantise_rows(tensor, bits)) / squared_error_unclipped(tensor, bits);
    CAPTURE(bits);
    CAPTURE(ratio);
    CHECK(std::fabs(ratio - expected[bits]) < 0.01);
  }
}

TEST_CASE("a search a hundred times finer finds hardly better scales") {
  Random random(12);
  const FloatTensor row = random_floats(random, {1, 768}, FloatType::f32);
  for (int bits = 2; bits <= 8; ++bits) {
    CodedTensor trial = quantise_rows(row, bits);
    const double found = squared_error(row, trial);
    double best = found;
    const double scale = half_to_double(trial.row_scale[0]);
    for (double factor = 0.3; factor < 3; factor *= 1.002) {
      trial.row_scale[0] = half_from_double(scale * factor);
      const double step = half_to_double(trial.row_scale[0]);
      for (std::size_t i = 0; i < trial.codes.size(); ++i) {
        const int top = (1 << bits) - 1;
        const double code = std::nearbyint(row.values[i] / step) - trial.format.offset;
        trial.codes[i] = static_cast<std::uint8_t>(std::clamp<double>(code, 0, top));
      }
      best = std::min(best, squared_error(row, trial));
    }
    CAPTURE(bits);
    CHECK(found <= best * 1.02);
  }
}

TEST_CASE("fewer bits from codes are those of the weights that the codes stand for") {
  Random random(6);
  const CodedTensor coded = random_codes(random, {5, 40}, 4);
  FloatTensor floats{.shape = coded.shape};
  for (int row = 0; row < 5; ++row) {
    for (int col = 0; col < 40; ++col) {
      floats.values.push_back(static_cast<float>(weight_at(coded, row, col)));
    }
  }
  const CodedTensor direct = quantise_rows(floats, 3), again = requantise_rows(coded, 3);
  CHECK(again.format.bits == 3);
  CHECK(again.codes == direct.codes);
  CHECK(again.row_scale == direct.row_scale);
}

TEST_CASE("rows of zeros have scale 0 and stay zero") {
  for (int bits = 1; bits <= 8; ++bits) {
    const CodedTensor coded = quantise_rows(row_of({0, 0, 0}), bits);
    CHECK(coded.row_scale[0] == 0);
    for (int col = 0; col < 3; ++col) CHECK(weight_at(Tensor(coded), 0, col) == 0);
  }
}

TEST_CASE("weights too small for a binary16 scale become zero, not nonsense") {
  const CodedTensor coded = quantise_rows(row_of({1e-12f, -1e-12f}), 4);
  CHECK(coded.row_scale[0] == 0);
  CHECK(weight_at(Tensor(coded), 0, 0) == 0);
}

TEST_CASE("a model: matrices become codes, norms binary16; what is coded passes through") {
  Model dense = tiny_model("tiny-dense");
  const Model before = dense;
  quantise_matrices(dense, 5);
  for (const auto& [key, tensor] : dense.tensors) {
    CAPTURE(tensor_key_text(key));
    const auto* coded = std::get_if<CodedTensor>(&tensor);
    CHECK((coded == nullptr) == (shape_of(tensor).rows == 1));
    if (coded != nullptr) CHECK(coded->format.bits == 5);
    if (coded != nullptr) continue;
    const auto& halved = std::get<FloatTensor>(tensor);
    CHECK(halved.type == FloatType::f16);
    const auto& exact = std::get<FloatTensor>(before.at(key));
    for (std::size_t i = 0; i < exact.values.size(); ++i) {
      CHECK(halved.values[i] == half_to_double(half_from_double(exact.values[i])));
    }
  }
  CHECK(dense.tensors.size() == before.tensors.size());

  Model packed = tiny_model("tiny-moe");
  const Model untouched = packed;
  quantise_matrices(packed, 2);
  for (const auto& [key, tensor] : packed.tensors) {
    CAPTURE(tensor_key_text(key));
    CHECK(tensor.index() == untouched.at(key).index());
    if (const auto* coded = std::get_if<CodedTensor>(&tensor)) {
      CHECK(coded->codes == std::get<CodedTensor>(untouched.at(key)).codes);
    }
  }
  CHECK(std::holds_alternative<FloatTensor>(packed.at({Role::router, 0})));
}
