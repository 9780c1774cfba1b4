// The matrix kernels in the block evaluator against scalar C++ on the weights that the codes mean.
#include "kernels/kernels.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "base/half.h"
#include "kernels/rows.h"
#include "support/block_rig.h"
#include "support/random_model.h"

namespace {

using namespace sb3lm;
using namespace sb3lm::blocks;
using namespace sb3lm::test;

// Of the sum of the magnitudes that are added: what another order of summation may leave.
constexpr double kTolerance = 1e-12;
constexpr double kJunk = 12345.678;  // what must be overwritten, or never read

struct RowSums {
  std::vector<double> value, magnitude;
};

// W x of a tensor with these weights, and the same of magnitudes.
RowSums product(const Tensor& weights, const std::vector<double>& x) {
  const Shape shape = shape_of(weights);
  RowSums sums;
  for (int row = 0; row < shape.rows; ++row) {
    double value = 0, magnitude = 0;
    for (int col = 0; col < shape.cols; ++col) {
      const double term = weight_at(weights, row, col) * x[static_cast<std::size_t>(col)];
      value += term;
      magnitude += std::fabs(term);
    }
    sums.value.push_back(value);
    sums.magnitude.push_back(magnitude);
  }
  return sums;
}

void check_rows(const std::vector<double>& act, std::size_t from, const RowSums& expected) {
  for (std::size_t row = 0; row < expected.value.size(); ++row) {
    CAPTURE(row);
    CHECK(std::fabs(act[from + row] - expected.value[row]) <= kTolerance * expected.magnitude[row]);
  }
}

std::vector<double> padded(std::vector<double> items, std::size_t size, double with) {
  items.resize(size, with);
  return items;
}

// Runs table and rows, in the form for one VM, on one random matrix of this many columns.
std::vector<double> check_coded_matrix(int cols, int bits, Tune tune, bool compiled) {
  CAPTURE(cols);
  CAPTURE(static_cast<int>(tune));
  CAPTURE(bits);
  Random random(static_cast<std::uint64_t>(1000 * cols + bits));
  const int groups = (cols + 7) / 8, rows = 3;
  const CodedTensor tensor = random_codes(random, {rows, cols}, bits);
  const std::vector<double> x = random_numbers(random, static_cast<std::size_t>(cols));

  // A few items of something else in front of every region.
  const int codes_at = 6, scales_at = 3, in_at = 2;
  const int out_at = in_at + 8 * groups;
  std::vector<double> codes(codes_at - 1, 1.0), scales(scales_at - 1, kJunk), act = {kJunk};
  for (const double index : table_indices(tensor)) codes.push_back(index);
  for (const std::uint16_t scale : tensor.row_scale) {
    scales.push_back(half_to_double(scale) * (bits == 1 ? 2 : 1));
  }
  act.insert(act.end(), x.begin(), x.end());
  act = padded(act, static_cast<std::size_t>(out_at - 1), 0);
  act = padded(act, act.size() + rows, kJunk);

  BlockRig rig({.tune = tune});
  const auto table = emit_table(rig.engine, rig.w);
  const auto multiply = RowKernels(rig.engine, rig.w).of(groups);
  rig.on("go", [&](Script& s) {
    s.call(table, in_at, groups);
    s.call(multiply, codes_at, rows, bits, row_start(bits), scales_at, out_at);
  });
  rig.fill("_codes", codes);
  rig.fill("_scales", scales);
  rig.fill("_act", act);
  if (tune == Tune::both) rig.evaluator().set_variable("_compiled", compiled ? 1.0 : 0.0);
  rig.run("go");
  std::vector<double> result = rig.numbers("_act");
  check_rows(result, static_cast<std::size_t>(out_at - 1), product(tensor, x));
  return result;
}

// All forms compute the same bits.
void check_coded_matrix(int cols, int bits) {
  const std::vector<double> first = check_coded_matrix(cols, bits, Tune::turbowarp, true);
  CHECK(check_coded_matrix(cols, bits, Tune::scratch, false) == first);
  CHECK(check_coded_matrix(cols, bits, Tune::both, true) == first);
  CHECK(check_coded_matrix(cols, bits, Tune::both, false) == first);
}

void check_float_matrix(int cols) {
  CAPTURE(cols);
  Random random(static_cast<std::uint64_t>(cols));
  const DotShape shape = DotShape::of(cols);
  REQUIRE(shape.chunk <= kMaxTerms);
  REQUIRE(shape.stride() >= cols);
  const int rows = 3, weights_at = 4, in_at = 3, out_at = in_at + shape.stride();
  const FloatTensor tensor = random_floats(random, {rows, cols}, FloatType::f32);
  const std::vector<double> x = random_numbers(random, static_cast<std::size_t>(cols));
  std::vector<double> scales(weights_at - 1, kJunk), act(in_at - 1, kJunk);
  for (int row = 0; row < rows; ++row) {
    for (int col = 0; col < cols; ++col) scales.push_back(weight_at(tensor, row, col));
    scales =
        padded(scales,
               static_cast<std::size_t>(weights_at) - 1 +
                   static_cast<std::size_t>(row + 1) * static_cast<std::size_t>(shape.stride()),
               0);
  }
  act.insert(act.end(), x.begin(), x.end());
  act = padded(act, static_cast<std::size_t>(out_at - 1), 0);
  act = padded(act, act.size() + rows, kJunk);

  BlockRig rig;
  const auto dot = emit_dot(rig.engine, rig.w, shape);
  rig.on("go", [&](Script& s) { s.call(dot, weights_at, rows, in_at, out_at); });
  rig.fill("_scales", scales);
  rig.fill("_act", act);
  rig.run("go");
  check_rows(rig.numbers("_act"), static_cast<std::size_t>(out_at - 1), product(tensor, x));
}

}  // namespace

TEST_CASE("table: all subset sums of each group, and the sum of everything") {
  for (const int groups : {1, 3, 12}) {
    CAPTURE(groups);
    Random random(static_cast<std::uint64_t>(groups));
    const std::vector<double> x = random_numbers(random, 8 * static_cast<std::size_t>(groups));
    std::vector<double> act = {kJunk, kJunk};
    act.insert(act.end(), x.begin(), x.end());
    BlockRig rig;
    const auto table = emit_table(rig.engine, rig.w);
    rig.on("go", [&](Script& s) { s.call(table, 3, groups); });
    rig.fill("_act", act);
    rig.run("go");
    rig.run("go");  // the second vector's table replaces the first one's
    const std::vector<double> sums = rig.numbers("_table");
    REQUIRE(sums.size() == static_cast<std::size_t>(256 * groups));
    for (std::size_t entry = 0; entry < sums.size(); ++entry) {
      double expected = 0, magnitude = 0;
      for (std::size_t k = 0; k < 8; ++k) {
        if ((entry % 256 >> (7 - k) & 1) == 0) continue;
        expected += x[entry / 256 * 8 + k];
        magnitude += std::fabs(x[entry / 256 * 8 + k]);
      }
      CAPTURE(entry);
      CHECK(std::fabs(sums[entry] - expected) <= kTolerance * magnitude);
    }
    CHECK(rig.evaluator().number("_sum") ==
          doctest::Approx(std::accumulate(x.begin(), x.end(), 0.0)).epsilon(kTolerance));
  }
}

TEST_CASE("rows: every width of codes") {
  for (int bits = 1; bits <= 8; ++bits) check_coded_matrix(96, bits);
}

TEST_CASE("rows: one expression, two, and a loop above 384 lookups") {
  for (const int groups : {1, 2, 12, 22, 95, 96, 97, 192, 384, 385, 389, 400}) {
    check_coded_matrix(8 * groups, 3);
    check_coded_matrix(8 * groups, 1);
  }
}

TEST_CASE("rows: columns that are no multiple of 8") {
  for (const int cols : {1, 7, 9, 20, 36, 171}) {
    check_coded_matrix(cols, 1);
    check_coded_matrix(cols, 4);
  }
}

TEST_CASE("dot: float matrices of every chunk shape") {
  for (const int cols : {1, 2, 7, 48, 95, 96, 97, 100, 172, 192, 193, 300, 768}) {
    check_float_matrix(cols);
  }
}

TEST_CASE("embed: a row of codes is exactly the weights, padding is 0") {
  for (int bits = 1; bits <= 8; ++bits) {
    for (const int cols : {1, 7, 8, 12, 36, 64}) {
      CAPTURE(bits);
      CAPTURE(cols);
      Random random(static_cast<std::uint64_t>(100 * cols + bits));
      const CodedTensor tensor = random_codes(random, {4, cols}, bits);
      const int row = 2, groups = (cols + 7) / 8, out_at = 5;
      BlockRig rig;
      const auto embed = emit_embed_codes(rig.engine, rig.w, bits, cols);
      rig.on("go", [&](Script& s) { s.call(embed, 1 + row * groups * bits, 1 + row, out_at); });
      std::vector<double> scales;
      for (const std::uint16_t scale : tensor.row_scale) {
        scales.push_back(half_to_double(scale) * (bits == 1 ? 2 : 1));
      }
      rig.fill("_codes", table_indices(tensor));
      rig.fill("_scales", scales);
      rig.fill("_act", std::vector<double>(static_cast<std::size_t>(out_at + 8 * groups), kJunk));
      rig.run("go");
      const std::vector<double> act = rig.numbers("_act");
      CHECK(act[out_at - 2] == kJunk);
      CHECK(act.back() == kJunk);
      for (int col = 0; col < 8 * groups; ++col) {
        CAPTURE(col);
        CHECK(act[static_cast<std::size_t>(out_at - 1 + col)] ==
              (col < cols ? weight_at(tensor, row, col) : 0));
      }
    }
  }
}

TEST_CASE("embed: a row of floats") {
  BlockRig rig;
  const auto embed = emit_embed_floats(rig.engine, rig.w, 5);
  rig.on("go", [&](Script& s) { s.call(embed, 3, 2); });
  rig.fill("_scales", {kJunk, kJunk, 1, -2, 0.25, 1e-30, 7, kJunk});
  rig.fill("_act", std::vector<double>(7, kJunk));
  rig.run("go");
  CHECK(rig.numbers("_act") == std::vector<double>{kJunk, 1, -2, 0.25, 1e-30, 7, kJunk});
}
