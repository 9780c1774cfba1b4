#include "runtime_ref/ops.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "base/half.h"

using namespace sb3lm;
using Vector = std::vector<double>;

namespace {

Tensor floats(int rows, int cols, std::vector<float> values) {
  return FloatTensor{{rows, cols}, FloatType::f32, std::move(values)};
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("dot sums every length, whole lanes or not") {
  for (std::size_t size = 0; size < 40; ++size) {
    Vector a(size);
    std::iota(a.begin(), a.end(), 1.0);
    const Vector b(size, 2.0);
    CHECK(ops::dot(a, b) == static_cast<double>(size * (size + 1)));
  }
}

TEST_CASE("dequantised weights are exact for every code and any scale") {
  for (const int bits : {1, 3, 4, 8}) {
    const CodeFormat format = CodeFormat::of_bits(bits);
    for (const std::uint16_t scale : {0x0001, 0x03ff, 0x3c00, 0x7bff, 0x2a6d, 0xb801}) {
      CodedTensor w{{2, 1 << bits}, format, {}, {0, scale}};
      for (int i = 0; i < 2 << bits; ++i) {
        w.codes.push_back(static_cast<std::uint8_t>(i % (1 << bits)));
      }
      Vector row(std::size_t{1} << bits);
      ops::dequantise_row(w, 1, row);
      for (int code = 0; code < 1 << bits; ++code) {
        const long double exact =
            static_cast<long double>(format.level(code)) * half_to_double(scale);
        CHECK(static_cast<long double>(row[static_cast<std::size_t>(code)]) == exact);
      }
    }
  }
}

TEST_CASE("matvec of coded and float weights") {
  const Tensor coded = CodedTensor{
      {2, 3}, CodeFormat::of_bits(4), {8, 9, 7, 15, 0, 8}, {half_from_double(0.5), 0x3c00}};
  Vector y(2);
  ops::matvec(coded, Vector{10, 20, 30}, y);
  CHECK(y == Vector{0.5 * (20 - 30), 70 - 160});
  ops::matvec(floats(2, 2, {1, 2, 3, 4}), Vector{1, 10}, y);
  CHECK(y == Vector{21, 43});
}

TEST_CASE("rms_norm divides by the root of the mean square") {
  Vector y(2);
  ops::rms_norm(floats(1, 2, {1, 2}), Vector{3, 4}, 0, y);
  CHECK(y[0] == doctest::Approx(3 / std::sqrt(12.5)).epsilon(1e-15));
  CHECK(y[1] == doctest::Approx(8 / std::sqrt(12.5)).epsilon(1e-15));
  ops::rms_norm(floats(1, 2, {1, 1}), Vector{0, 0}, 1e-5, y);
  CHECK(y == Vector{0, 0});
}

TEST_CASE("rope turns the pairs of its layout, counter-clockwise for sign +1") {
  RopeSpec spec{.layout = RopeLayout::half_split, .base = 10000, .dims = 4, .sign = 1};
  const Vector head{1, 2, 3, 4, 5};
  const auto turned = [&](int position) {
    Vector copy = head;
    ops::rope(spec, ops::rotation_at(spec, position), copy);
    return copy;
  };
  CHECK(turned(0) == head);

  const double c0 = std::cos(7.0), s0 = std::sin(7.0), c1 = std::cos(0.07), s1 = std::sin(0.07);
  const auto equal = [](const Vector& got, const Vector& want) {
    for (std::size_t i = 0; i < want.size(); ++i) {
      CHECK(got[i] == doctest::Approx(want[i]).epsilon(1e-14));
    }
  };
  equal(turned(7), {c0 - 3 * s0, 2 * c1 - 4 * s1, s0 + 3 * c0, 2 * s1 + 4 * c1, 5});
  spec.sign = -1;
  equal(turned(7), {c0 + 3 * s0, 2 * c1 + 4 * s1, -s0 + 3 * c0, -2 * s1 + 4 * c1, 5});
  spec.sign = 1;
  spec.layout = RopeLayout::interleaved;
  equal(turned(7), {c0 - 2 * s0, s0 + 2 * c0, 3 * c1 - 4 * s1, 3 * s1 + 4 * c1, 5});
  spec.layout = RopeLayout::none;
  CHECK(turned(7) == head);
}

TEST_CASE("centre takes the mean away") {
  Vector x{1, 2, 6};
  ops::centre(x);
  CHECK(x == Vector{-2, -1, 3});
}

TEST_CASE("rope scaling, linear and by wavelength") {
  RopeSpec rope{.layout = RopeLayout::half_split, .base = 256, .dims = 8};
  const auto frequencies = [&] {
    return Vector{ops::frequency(rope, 0), ops::frequency(rope, 1), ops::frequency(rope, 2),
                  ops::frequency(rope, 3)};
  };
  CHECK(frequencies() == Vector{1, 0.25, 0.0625, 0.015625});
  rope.scaling_factor = 8;
  CHECK(frequencies() == Vector{1, 0.25, 0.0625, 0.015625});
  rope.scaling = RopeScaling::linear;
  CHECK(frequencies() == Vector{0.125, 0.03125, 0.0078125, 0.001953125});
  // 128 positions are 20.4, 5.1, 1.27 and 0.32 turns: above high, above, between, below low.
  rope.scaling = RopeScaling::llama3;
  rope.original_positions = 128;
  const double kept = (8 / (2 * std::numbers::pi) - 1) / 3;
  const Vector scaled = frequencies();
  CHECK(scaled[0] == 1);
  CHECK(scaled[1] == 0.25);
  CHECK(scaled[2] == doctest::Approx(0.0625 * (kept + (1 - kept) / 8)).epsilon(1e-15));
  CHECK(scaled[3] == 0.001953125);
  const ops::Rotation rotation = ops::rotation_at(rope, 5);
  CHECK(rotation.cosine[2] == doctest::Approx(std::cos(5 * scaled[2])).epsilon(1e-15));
}

TEST_CASE("softmax stays finite for large values") {
  Vector x{1000, 1000 + std::log(3.0)};
  ops::softmax(x);
  CHECK(x[0] == doctest::Approx(0.25).epsilon(1e-12));
  CHECK(x[1] == doctest::Approx(0.75).epsilon(1e-12));
}

TEST_CASE("silu") {
  CHECK(ops::silu(0) == 0);
  CHECK(ops::silu(1) == doctest::Approx(1 / (1 + std::exp(-1.0))).epsilon(1e-15));
  CHECK(ops::silu(-1000) == 0);
  CHECK(ops::silu(1000) == 1000);
}

TEST_CASE("relu and both forms of gelu") {
  CHECK(ops::activate(Activation::relu, -3) == 0);
  CHECK(ops::activate(Activation::relu, 3) == 3);
  // From tables of the normal distribution, and of tanh.
  CHECK(ops::activate(Activation::gelu, 1) == doctest::Approx(0.8413447460685429).epsilon(1e-15));
  CHECK(ops::activate(Activation::gelu, -2) ==
        doctest::Approx(-2 * 0.02275013194817921).epsilon(1e-14));
  CHECK(ops::activate(Activation::gelu_tanh, 1) ==
        doctest::Approx(0.8411919906082768).epsilon(1e-14));
  CHECK(ops::activate(Activation::gelu_tanh, -1) ==
        doctest::Approx(-0.15880800939172324).epsilon(1e-14));
}

TEST_CASE("attention scales and caps its scores") {
  AttentionSpec spec{
      .query_heads = 1, .kv_heads = 1, .head_size = 4, .rope = {}, .score_scale = 0.25};
  KvCache cache(4);
  cache.append(Vector{0, 0, 0, 0}, Vector{0, 0, 0, 0});
  cache.append(Vector{4, 0, 0, 0}, Vector{1, 0, 0, 0});
  Vector out(4);
  const auto share = [&](double score) { return 1 / (1 + std::exp(-score)); };
  ops::attention(spec, Vector{3, 0, 0, 0}, cache, out);
  CHECK(out[0] == doctest::Approx(share(3)).epsilon(1e-14));
  spec.score_cap = 2;
  ops::attention(spec, Vector{3, 0, 0, 0}, cache, out);
  CHECK(out[0] == doctest::Approx(share(2 * std::tanh(1.5))).epsilon(1e-14));
  spec.score_scale = 0;
  ops::attention(spec, Vector{3, 0, 0, 0}, cache, out);
  CHECK(out[0] == doctest::Approx(share(2 * std::tanh(3.0))).epsilon(1e-14));
}

TEST_CASE("attention mixes the values of its group's KV head") {
  const AttentionSpec spec{.query_heads = 4, .kv_heads = 2, .head_size = 1, .rope = {}};
  KvCache cache(2);
  cache.append(Vector{0, 1}, Vector{1, 10});
  cache.append(Vector{0, 2}, Vector{3, 30});
  Vector out(4);
  ops::attention(spec, Vector{5, -5, 0, std::log(3.0)}, cache, out);
  CHECK(out[0] == 2);  // keys of KV head 0 are all equal: a plain mean
  CHECK(out[1] == 2);
  CHECK(out[2] == 20);
  CHECK(out[3] == doctest::Approx(25).epsilon(1e-14));  // weights 1/4 and 3/4
  cache.clear();
  CHECK(cache.positions() == 0);
}

TEST_CASE("ties go to the lowest index") {
  CHECK(ops::argmax(Vector{1, 3, 3, 2}) == 1);
  CHECK(ops::top_k(Vector{2, 3, 1, 3, 2}, 2) == std::vector{1, 3});
  CHECK(ops::top_k(Vector{2, 3, 1, 3, 2}, 3) == std::vector{0, 1, 3});
  CHECK(ops::top_k(Vector{5, 5, 5}, 2) == std::vector{0, 1});
  CHECK(ops::top_k(Vector{1, 2}, 9) == std::vector{0, 1});
}

TEST_CASE("choice_margin is relative to the largest size") {
  const std::vector chosen{0, 2};
  CHECK(ops::choice_margin(Vector{4, 2, 3, -8}, chosen) == 1.0 / 8);
  CHECK(ops::choice_margin(Vector{4, 3, 3, -8}, chosen) == 0);
  CHECK(ops::choice_margin(Vector{0, 0, 0}, chosen) == 0);
  CHECK(ops::choice_margin(Vector{0, 0, 0}, std::vector{0, 1, 2}) == kInfinity);
}
