// The kernels of parameter-golf's models in the block evaluator: norms without weights, scaled
// additions, mixes, the smear, gains, exclusive attention and the hash of bigrams.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "kernels/kernels.h"
#include "runtime_ref/ops.h"
#include "support/block_rig.h"
#include "support/random_model.h"

namespace {

using namespace sb3lm;
using namespace sb3lm::blocks;
using namespace sb3lm::test;

constexpr double kTolerance = 1e-12;  // relative to the largest number
constexpr double kJunk = 12345.678;

void check_near(std::span<const double> got, std::span<const double> expected) {
  REQUIRE(got.size() == expected.size());
  double size = 0;
  for (const double value : expected) size = std::max(size, std::fabs(value));
  for (std::size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    CHECK(std::fabs(got[i] - expected[i]) <= kTolerance * size);
  }
}

std::vector<double> with_junk_around(const std::vector<double>& x) {
  std::vector<double> all = {kJunk};
  all.insert(all.end(), x.begin(), x.end());
  all.push_back(kJunk);
  return all;
}

}  // namespace

TEST_CASE("plain norm, in place and to another region, times a factor") {
  for (const int width : {1, 3, 7, 16, 36, 97, 512}) {
    CAPTURE(width);
    Random random(static_cast<std::uint64_t>(width));
    const auto size = static_cast<std::size_t>(width);
    const std::vector<double> x = random_numbers(random, size);
    std::vector<double> expected = x;
    ops::plain_norm(expected, 1e-3);
    BlockRig rig;
    const auto norm = emit_plain_norm(rig.engine, rig.w, width, 1e-3, "plain norm");
    rig.on("go", [&](Script& s) {
      s.call(norm, 2, 0.25, 2 + width);
      s.call(norm, 2, 1, 2);
    });
    std::vector<double> act = {kJunk};
    act.insert(act.end(), x.begin(), x.end());
    act.resize(2 + 2 * size, kJunk);
    rig.fill("_act", act);
    rig.run("go");
    const std::vector<double> got = rig.numbers("_act");
    check_near(std::span(got).subspan(1, size), expected);
    for (double& value : expected) value *= 0.25;
    check_near(std::span(got).subspan(1 + size, size), expected);
    CHECK(got.front() == kJunk);
    CHECK(got.back() == kJunk);
  }
}

TEST_CASE("a plain norm of zeros is zeros") {
  BlockRig rig;
  const auto norm = emit_plain_norm(rig.engine, rig.w, 4, 0x1p-23, "plain norm");
  rig.on("go", [&](Script& s) { s.call(norm, 1, 1, 1); });
  rig.fill("_act", {0, 0, 0, 0});
  rig.run("go");
  CHECK(rig.numbers("_act") == std::vector<double>{0, 0, 0, 0});
}

TEST_CASE("add scaled") {
  BlockRig rig;
  const auto add = emit_add_scaled(rig.engine, rig.w);
  rig.on("go", [&](Script& s) { s.call(add, 1, 2, 4, 3); });
  rig.fill("_act", {2, -4, 8, 10, 20, 30, kJunk});
  rig.fill("_scales", {kJunk, 0.5, -3, 0, kJunk});
  rig.run("go");
  CHECK(rig.numbers("_act") == std::vector<double>{2, -4, 8, 11, 32, 30, kJunk});
}

TEST_CASE("copy") {
  BlockRig rig;
  const auto copy = emit_copy(rig.engine, rig.w);
  rig.on("go", [&](Script& s) { s.call(copy, 2, 4, 2); });
  rig.fill("_act", {kJunk, 0.1, -7, 10, 20, kJunk});
  rig.run("go");
  CHECK(rig.numbers("_act") == std::vector<double>{kJunk, 0.1, -7, 0.1, -7, kJunk});
}

TEST_CASE("mix") {
  BlockRig rig;
  const auto mix = emit_mix(rig.engine, rig.w);
  rig.on("go", [&](Script& s) { s.call(mix, 2, 4, 1, 3, 2); });
  rig.fill("_act", {2, -4, 10, 20, kJunk});
  rig.fill("_scales", {kJunk, 0.5, 3, -1, 0.25, kJunk});
  rig.run("go");
  CHECK(rig.numbers("_act") == std::vector<double>{2, -4, 3, 59, kJunk});
}

TEST_CASE("smear, where gates are far out too") {
  Random random(3);
  std::vector<double> gates = {0, 1, -1, 40, -40, 700, -700, 720, -720};
  for (int i = 0; i < 50; ++i) gates.push_back(4 * random.normal());
  const std::size_t count = gates.size();
  const std::vector<double> before = random_numbers(random, count),
                            own = random_numbers(random, count);
  BlockRig rig;
  const ExpBlocks exp = emit_exp(rig.engine, rig.w);
  const auto smear = emit_smear(rig.engine, rig.w, exp);
  rig.on("go", [&](Script& s) {
    s.call(exp.prepare);
    s.call(smear, 2, 2, static_cast<double>(2 + count), static_cast<double>(count));
  });
  std::vector<double> act = {kJunk};
  act.insert(act.end(), before.begin(), before.end());
  act.insert(act.end(), own.begin(), own.end());
  rig.fill("_act", act);
  rig.fill("_scales", with_junk_around(gates));
  rig.run("go");
  const std::vector<double> got = rig.numbers("_act");
  std::vector<double> expected(count);
  for (std::size_t i = 0; i < count; ++i) {
    const double g = ops::sigmoid(gates[i]);
    expected[i] = (1 - g) * own[i] + g * before[i];
  }
  check_near(std::span(got).subspan(1 + count), expected);
  CHECK(std::equal(before.begin(), before.end(), got.begin() + 1));
}

TEST_CASE("gain: a number for each head") {
  BlockRig rig;
  const auto gain = emit_gain(rig.engine, rig.w);
  rig.on("go", [&](Script& s) { s.call(gain, 2, 2, 2, 3); });
  rig.fill("_act", {kJunk, 1, 2, 3, 4, 5, 6, kJunk});
  rig.fill("_scales", {kJunk, 0.5, -2, kJunk});
  rig.run("go");
  CHECK(rig.numbers("_act") == std::vector<double>{kJunk, 0.5, 1, 1.5, -8, -10, -12, kJunk});
}

namespace {

void check_exclude(const ExcludeWith& with, double size_of_values) {
  CAPTURE(with.query_heads);
  CAPTURE(with.kv_heads);
  CAPTURE(with.head_size);
  CAPTURE(size_of_values);
  Random random(17);
  const int out = with.query_heads * with.head_size, v = with.kv_heads * with.head_size;
  std::vector<double> values = random_numbers(random, static_cast<std::size_t>(v));
  for (double& value : values) value *= size_of_values;
  const std::vector<double> y = random_numbers(random, static_cast<std::size_t>(out));
  BlockRig rig;
  const auto exclude =
      emit_exclude(rig.engine, rig.w, {.with = with, .v_at = 2, .out_at = 2 + v}, "1");
  rig.on("go", [&](Script& s) { s.call(exclude); });
  std::vector<double> both = values;
  both.insert(both.end(), y.begin(), y.end());
  rig.fill("_act", with_junk_around(both));
  rig.run("go");
  std::vector<double> expected = y;
  ops::exclude({.query_heads = with.query_heads,
                .kv_heads = with.kv_heads,
                .head_size = with.head_size,
                .exclusive = true},
               values, expected);
  both.resize(values.size());
  both.insert(both.end(), expected.begin(), expected.end());
  const std::vector<double> got = rig.numbers("_act");
  check_near(std::span(got).subspan(1, both.size()), both);
  CHECK(got.front() == kJunk);
  CHECK(got.back() == kJunk);
}

}  // namespace

TEST_CASE("exclude: grouped heads, odd sizes, values of no length") {
  for (const double size : {1.0, 1e-14, 0.0}) {
    check_exclude({.query_heads = 4, .kv_heads = 2, .head_size = 8}, size);
    check_exclude({.query_heads = 3, .kv_heads = 3, .head_size = 7}, size);
    check_exclude({.query_heads = 6, .kv_heads = 1, .head_size = 1}, size);
    check_exclude({.query_heads = 2, .kv_heads = 1, .head_size = 64}, size);
  }
}

TEST_CASE("bigram: the hash of the token and the one before, for every size of table") {
  for (const int buckets : {2, 3, 97, 1024, 10240}) {
    CAPTURE(buckets);
    BlockRig rig;
    const auto bigram = emit_bigram(rig.engine, rig.w, buckets, "bigram 1");
    const auto token = rig.engine.var<Num>("token"), before = rig.engine.var<Num>("before");
    rig.on("go", [&](Script& s) {
      s.call(bigram, token, before);
      s.replace(rig.w.act, 1, rig.w.sum + 0);
    });
    rig.fill("_act", {kJunk});
    Random random(23);
    const auto check_pair = [&](int t, int b) {
      CAPTURE(t);
      CAPTURE(b);
      rig.evaluator().set_variable("token", static_cast<double>(t));
      rig.evaluator().set_variable("before", static_cast<double>(b));
      rig.run("go");
      CHECK(rig.numbers("_act") ==
            std::vector<double>{static_cast<double>(bigram_row(buckets, t, b))});
    };
    for (const int t : {0, 1, 2, 1023, 8191, 59137}) {
      for (const int b : {-1, 0, 1, 1022, 59137}) check_pair(t, b);
    }
    for (int i = 0; i < 200; ++i) {
      check_pair(static_cast<int>(random.uniform() * 59137),
                 static_cast<int>(random.uniform() * 59137));
    }
  }
}
