// Recipes: rounding of binary16 numbers, widths per matrix, and plans as files.
#include <doctest/doctest.h>

#include <cmath>

#include "base/error.h"
#include "base/half.h"
#include "import/plan_file.h"
#include "quant/recipe.h"
#include "quant/rtn.h"
#include "support/tiny_model.h"

namespace {

using namespace sb3lm;

int bits_of(const Model& model, const TensorKey& key) {
  const auto* coded = std::get_if<CodedTensor>(&model.at(key));
  return coded == nullptr ? 0 : coded->format.bits;
}

}  // namespace

TEST_CASE("round_mantissa: every number, to the nearest one with so many bits, halves to even") {
  for (int bits = 1; bits <= 10; ++bits) {
    CAPTURE(bits);
    const unsigned step = 1u << (10 - bits);
    for (unsigned half = 0; half <= 0xffff; ++half) {
      const std::uint16_t got = round_mantissa(static_cast<std::uint16_t>(half), bits);
      if ((half & 0x7fff) >= 0x7c00) {
        CHECK(got == half);  // infinities and NaN
        continue;
      }
      REQUIRE(got % step == 0);
      REQUIRE((got & 0x8000) == (half & 0x8000));
      REQUIRE((got & 0x7fff) < 0x7c00);
      const double exact = half_to_double(static_cast<std::uint16_t>(half));
      const double off = std::fabs(half_to_double(got) - exact);
      const unsigned below = half / step * step, above = below + step;
      const double down = std::fabs(exact - half_to_double(static_cast<std::uint16_t>(below)));
      REQUIRE(off <= down);
      if ((above & 0x7fff) >= 0x7c00) continue;  // nothing finite above
      const double up = std::fabs(half_to_double(static_cast<std::uint16_t>(above)) - exact);
      REQUIRE(off <= up);
      if (up == down && step > 1) REQUIRE(got / step % 2 == 0);
    }
  }
}

TEST_CASE("scales and norms are rounded, routers become codes, the rest stays") {
  const Model before = tiny_model("tiny-moe-gated");
  Model model = before;
  apply_recipe(model, {.scale_bits = 4, .router_bits = 6});
  CHECK(model.rounding.scale_bits == 4);
  CHECK(model.rounding.router_bits == 6);
  for (const auto& [key, tensor] : model.tensors) {
    CAPTURE(tensor_key_text(key));
    if (is_router(key.role)) {
      CHECK(bits_of(model, key) == 6);
    } else if (const auto* coded = std::get_if<CodedTensor>(&tensor)) {
      const auto& exact = std::get<CodedTensor>(before.at(key));
      CHECK(coded->codes == exact.codes);
      for (std::size_t row = 0; row < coded->row_scale.size(); ++row) {
        CHECK(coded->row_scale[row] == round_mantissa(exact.row_scale[row], 4));
      }
    } else {
      const auto& exact = std::get<FloatTensor>(before.at(key));
      const auto& floats = std::get<FloatTensor>(tensor);
      CHECK(floats.type == FloatType::f16);
      for (std::size_t i = 0; i < floats.values.size(); ++i) {
        const std::uint16_t half = half_from_double(exact.values[i]);
        CHECK(floats.values[i] == half_to_double(round_mantissa(half, 4)));
      }
    }
  }
}

TEST_CASE("a plan gives matrices their widths, experts all at once") {
  Model packed = tiny_model("tiny-moe");
  const Model before = packed;
  apply_recipe(packed, {.bits = {{{Role::q, 1}, 2}, {{Role::shared_up, 0}, 1}}});
  CHECK(bits_of(packed, {Role::q, 1}) == 2);
  CHECK(bits_of(packed, {Role::q, 0}) == 4);
  CHECK(bits_of(packed, {Role::shared_up, 0}) == 1);
  const CodedTensor expected = requantise_rows(std::get<CodedTensor>(before.at({Role::q, 1})), 2);
  CHECK(std::get<CodedTensor>(packed.at({Role::q, 1})).codes == expected.codes);
  CHECK_FALSE(packed.rounding.any());

  Model dense = tiny_model("tiny-dense");
  apply_recipe(dense,
               {.quantiser = Quantiser::nearest, .float_bits = 6, .bits = {{{Role::down, 1}, 3}}});
  CHECK(bits_of(dense, {Role::down, 1}) == 3);
  CHECK(bits_of(dense, {Role::down, 0}) == 6);

  Model mixture = tiny_model("tiny-moe");
  for (int expert = 0; expert < 4; ++expert) {
    auto& tensor = std::get<CodedTensor>(mixture.tensors.at({Role::expert_up, 2, expert}));
    tensor.format = CodeFormat::of_bits(4);
  }
  apply_recipe(mixture, {.bits = {{{Role::expert_up, 2, -1}, 3}}});
  for (int expert = 0; expert < 4; ++expert) {
    CHECK(bits_of(mixture, {Role::expert_up, 2, expert}) == 3);
  }
}

TEST_CASE("recipes that cannot be carried out") {
  const auto error = [](const Recipe& recipe) -> std::string {
    Model model = tiny_model("tiny-moe");
    try {
      apply_recipe(model, recipe);
    } catch (const Error& problem) {
      return problem.what();
    }
    return "no error";
  };
  CHECK(error({.bits = {{{Role::q, 0}, 5}}}) ==
        "layer 0 q: it has 4 bits, and 5 would not bring back what is lost");
  CHECK(error({.bits = {{{Role::q, 7}, 2}}}) == "layer 7 q: the model has no such tensor");
  CHECK(error({.bits = {{{Role::head}, 2}}}) == "head: the model has no such tensor");
  CHECK(error({.bits = {{{Role::final_norm}, 2}}}) ==
        "final_norm: it is no matrix and has no width");
  CHECK(error({.bits = {{{Role::q, 0}, 9}}}) == "layer 0 q: 9 bits are outside 1..8");
  CHECK(error({.scale_bits = 10}) == "--round-scales 10: 1 to 9 of the 10 mantissa bits");
  CHECK(error({.router_bits = 1}) == "--router-bits 1: 2 to 8");
}

TEST_CASE("the width of float weights as text, and back") {
  for (const char* text : {"", "1", "8", "float"}) {
    CAPTURE(text);
    REQUIRE(float_bits_from_text(text));
    CHECK(float_bits_text(*float_bits_from_text(text)) == text);
  }
  for (const char* text : {"0", "9", "-1", "4 ", "four", "Float", "4.0"}) {
    CAPTURE(text);
    CHECK_FALSE(float_bits_from_text(text));
  }
}

TEST_CASE("widths of what a model has not are refused") {
  const Model dense = tiny_model("tiny-dense"), packed = tiny_model("tiny-moe");
  require_use(dense, {.float_bits = 4});
  require_use(packed, {.float_bits = kStayFloats, .router_bits = 4});
  CHECK_THROWS_WITH_AS(require_use(packed, {.float_bits = 4}),
                       doctest::Contains("the model has no float matrices"), Error);
  CHECK_THROWS_WITH_AS(require_use(dense, {.router_bits = 4}),
                       "--router-bits 4: the model has no routers", Error);
}

TEST_CASE("a plan is read back as it was written") {
  const Recipe recipe{.float_bits = 5,
                      .bits = {{{Role::embedding}, 3}, {{Role::expert_down, 2, -1}, 1}},
                      .scale_bits = 6,
                      .router_bits = 8};
  const Recipe read = read_plan("p.json", plan_text(recipe, {{"checkpoint", "x"}}));
  CHECK(read.float_bits == recipe.float_bits);
  CHECK(read.bits == recipe.bits);
  CHECK(read.scale_bits == 6);
  CHECK(read.router_bits == 8);
}

TEST_CASE("broken plans are refused by the field at fault") {
  const std::pair<const char*, const char*> cases[] = {
      {"[]", "p.json: not a JSON object"},
      {"{}", "p.json: 'format' is missing"},
      {"{", "p.json: JSON: parse error"},
      {R"({"format":2})", "p.json: format 2, this program reads 1"},
      {R"({"format":1,"bits":3})", "p.json: 'bits' is not an object"},
      {R"({"format":1,"bits":{"layer x":3}})", "p.json: 'layer x' is not a role"},
      {R"({"format":1,"bits":{"head":"3"}})", "p.json: 'head': \"3\" is not a number of bits"},
      {R"({"format":1,"bits":{"head":4294967297}})", "is not a number of bits"},
      {R"({"format":1,"float_bits":8})", "p.json: 'float_bits': 8 is not a text"},
      {R"({"format":1,"float_bits":"9"})", "p.json: 'float_bits' is none of 1 to 8 and float"},
      {R"({"format":1,"round_scales":0})", "p.json: 'round_scales': 0 is not a number of bits"},
      {R"({"format":1,"colour":1})", "p.json: unknown field 'colour'"},
  };
  for (const auto& [json, message] : cases) {
    CAPTURE(json);
    CHECK_THROWS_WITH_AS(read_plan("p.json", json), doctest::Contains(message), Error);
  }
}
