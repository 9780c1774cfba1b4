// Rounding to the nearest level: the scales of the definition, codes at most half a step off.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

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

// The scale is rounded to binary16: 2^-11 relative.
constexpr double kHalfRounding = 1.0 / 2048;

}  // namespace

TEST_CASE("one bit: the sign, and the mean magnitude") {
  const CodedTensor coded = quantise_rows(row_of({1, -2, 3, -4, 0}), 1);
  CHECK(coded.codes == std::vector<std::uint8_t>{1, 0, 1, 0, 1});
  CHECK(half_to_double(coded.row_scale[0]) == 2);
  CHECK(weight_at(Tensor(coded), 0, 1) == -2);
}

TEST_CASE("four bits: symmetric levels, -8 is never used") {
  const CodedTensor coded = quantise_rows(row_of({7, -7, 3.4f, -3.6f, 0, 0.5f}), 4);
  CHECK(half_to_double(coded.row_scale[0]) == 1);
  CHECK(coded.codes == std::vector<std::uint8_t>{15, 1, 11, 4, 8, 8});  // 0.5 goes to even
}

TEST_CASE("error and range for every width") {
  Random random(4);
  for (int bits = 2; bits <= 8; ++bits) {
    CAPTURE(bits);
    const FloatTensor tensor = random_floats(random, {20, 33}, FloatType::f32);
    const CodedTensor coded = quantise_rows(tensor, bits);
    const int limit = (1 << (bits - 1)) - 1;
    REQUIRE(coded.codes.size() == tensor.values.size());
    REQUIRE(coded.row_scale.size() == 20);
    for (int row = 0; row < 20; ++row) {
      double largest = 0;
      for (int col = 0; col < 33; ++col) {
        largest = std::max(largest, std::fabs(weight_at(tensor, row, col)));
      }
      const double scale = half_to_double(coded.row_scale[static_cast<std::size_t>(row)]);
      CHECK(std::fabs(scale - largest / limit) <= kHalfRounding * scale);
      for (int col = 0; col < 33; ++col) {
        const double exact = weight_at(tensor, row, col), got = weight_at(coded, row, col);
        CHECK(std::fabs(got - exact) <= (0.5 + limit * kHalfRounding) * scale);
        CHECK(std::fabs(got) <= limit * scale);
      }
    }
  }
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

TEST_CASE("a model: matrices become codes; norms, routers and codes pass through") {
  Model dense = tiny_model("tiny-dense");
  const Model before = dense;
  quantise_matrices(dense, 5);
  for (const auto& [key, tensor] : dense.tensors) {
    CAPTURE(tensor_key_text(key));
    const auto* coded = std::get_if<CodedTensor>(&tensor);
    CHECK((coded == nullptr) == (shape_of(tensor).rows == 1));
    if (coded != nullptr) CHECK(coded->format.bits == 5);
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
