// The kernels of a layer besides its matrices, in the block evaluator: against runtime_ref's ops
// where those are scalar and textbook, else against a few lines here.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/kernels.h"
#include "runtime_ref/ops.h"
#include "support/block_rig.h"
#include "support/random_model.h"

namespace {

using namespace sb3lm;
using namespace sb3lm::blocks;
using namespace sb3lm::test;

constexpr double kTolerance = 1e-12;  // relative, see each use
constexpr double kJunk = 12345.678;

void check_near(std::span<const double> got, std::span<const double> expected, double size) {
  REQUIRE(got.size() == expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    CHECK(std::fabs(got[i] - expected[i]) <= kTolerance * size);
  }
}

double largest(std::span<const double> x) {
  double size = 0;
  for (const double value : x) size = std::max(size, std::fabs(value));
  return size;
}

}  // namespace

TEST_CASE("rmsnorm") {
  for (const int width : {1, 7, 17, 36, 64, 97, 768}) {
    CAPTURE(width);
    Random random(static_cast<std::uint64_t>(width));
    const auto size = static_cast<std::size_t>(width);
    const std::vector<double> x = random_numbers(random, size);
    const FloatTensor weights = random_floats(random, {1, width}, FloatType::f16);
    BlockRig rig;
    const auto norm = emit_rmsnorm(rig.engine, rig.w, width, 1e-3);
    rig.on("go", [&](Script& s) { s.call(norm, 2, 3, 2 + width); });
    std::vector<double> act = {kJunk}, scales = {kJunk, kJunk};
    act.insert(act.end(), x.begin(), x.end());
    act.resize(1 + 2 * size, kJunk);
    scales.insert(scales.end(), weights.values.begin(), weights.values.end());
    rig.fill("_act", act);
    rig.fill("_scales", scales);
    rig.run("go");
    std::vector<double> expected(size);
    ops::rms_norm(Tensor(weights), x, 1e-3, expected);
    const std::vector<double> got = rig.numbers("_act");
    check_near(std::span(got).subspan(1 + size), expected, largest(expected));
    CHECK(std::equal(x.begin(), x.end(), got.begin() + 1));
  }
}

TEST_CASE("add") {
  BlockRig rig;
  const auto add = emit_add(rig.engine, rig.w);
  rig.on("go", [&](Script& s) { s.call(add, 1, 0.5, 4, 3); });
  rig.fill("_act", {2, -4, 8, 10, 20, 30, kJunk});
  rig.run("go");
  CHECK(rig.numbers("_act") == std::vector<double>{2, -4, 8, 11, 18, 34, kJunk});
}

TEST_CASE("centre and scale") {
  BlockRig rig;
  const auto centre = emit_centre(rig.engine, rig.w, 3, "centre");
  const auto scale = emit_scale(rig.engine, rig.w);
  rig.on("go", [&](Script& s) {
    s.call(centre, 2, 5);
    s.call(centre, 2, 2);
    s.call(scale, -0.5, 1, 2);
  });
  rig.fill("_act", {4, 1, 2, 6, kJunk, kJunk, kJunk, kJunk});
  rig.run("go");
  CHECK(rig.numbers("_act") == std::vector<double>{-2, 1, -1, 3, -2, -1, 3, kJunk});
}

TEST_CASE("add numbers") {
  BlockRig rig;
  const auto add = emit_add_numbers(rig.engine, rig.w);
  rig.on("go", [&](Script& s) { s.call(add, 2, 3, 2); });
  rig.fill("_act", {2, -4, 8, 10, 20});
  rig.fill("_scales", {kJunk, 0.5, -3, kJunk});
  rig.run("go");
  CHECK(rig.numbers("_act") == std::vector<double>{2, -4, 8.5, 7, 20});
}

TEST_CASE("swiglu, where exp overflows too") {
  Random random(5);
  std::vector<double> gate = {0, -0.5, 30, -30, 700, -700, 720, -720, -745, 1e6, -1e6};
  for (int i = 0; i < 200; ++i) gate.push_back(8 * random.normal());
  const std::vector<double> up = random_numbers(random, gate.size());
  const auto count = static_cast<int>(gate.size());
  BlockRig rig;
  const auto exp = emit_exp(rig.engine, rig.w);
  const auto swiglu = emit_gate(rig.engine, rig.w, exp, Activation::silu);
  rig.on("go", [&](Script& s) {
    s.call(exp.prepare);
    s.call(swiglu, 1, 1 + count, count);
  });
  std::vector<double> act = gate;
  act.insert(act.end(), up.begin(), up.end());
  rig.fill("_act", act);
  rig.run("go");
  const std::vector<double> got = rig.numbers("_act");
  for (std::size_t i = 0; i < gate.size(); ++i) {
    CAPTURE(gate[i]);
    const double expected = ops::silu(gate[i]) * up[i];
    CHECK(std::fabs(got[i] - expected) <= kTolerance * std::fabs(expected));
    CHECK(got[gate.size() + i] == up[i]);
  }
}

namespace {

long double frequency(const RopeSpec& rope, int j) {
  const long double f = std::pow(static_cast<long double>(rope.base), -2.0L * j / rope.dims);
  if (rope.scaling == RopeScaling::none) return f;
  if (rope.scaling == RopeScaling::linear) return f / rope.scaling_factor;
  const long double wave = 2 * std::numbers::pi_v<long double> / f;
  const long double low = rope.low_frequency, high = rope.high_frequency;
  if (wave < rope.original_positions / high) return f;
  if (wave > rope.original_positions / low) return f / rope.scaling_factor;
  const long double smooth = (rope.original_positions / wave - low) / (high - low);
  return (1 - smooth) * f / rope.scaling_factor + smooth * f;
}

// Heads after turning by the angle of `position`, straight from the definition.
std::vector<double> turned(const RopeSpec& rope, int position, std::vector<double> heads,
                           int head_size) {
  const bool split = rope.layout == RopeLayout::half_split;
  for (std::size_t head = 0; head < heads.size(); head += static_cast<std::size_t>(head_size)) {
    for (int j = 0; j < rope.dims / 2; ++j) {
      const long double angle = rope.sign * position * frequency(rope, j);
      double& a = heads[head + static_cast<std::size_t>(split ? j : 2 * j)];
      double& b = heads[head + static_cast<std::size_t>(split ? j + rope.dims / 2 : 2 * j + 1)];
      const long double x = a, y = b;
      a = static_cast<double>(x * std::cos(angle) - y * std::sin(angle));
      b = static_cast<double>(x * std::sin(angle) + y * std::cos(angle));
    }
  }
  return heads;
}

void check_rope(const RopeSpec& rope, int head_size) {
  CAPTURE(static_cast<int>(rope.layout));
  CAPTURE(rope.dims);
  CAPTURE(rope.sign);
  Random random(7);
  const int heads = 2;
  const std::vector<double> x = random_numbers(random, static_cast<std::size_t>(heads * head_size));
  BlockRig rig;
  const RopeBlocks blocks = emit_rope(rig.engine, rig.w, rope, head_size, "1");
  rig.on("go", [&](Script& s) {
    s.call(blocks.advance);
    s.call(blocks.apply, 1, heads);
  });
  // The second time round checks that position 0 forgets the first.
  for (int position = 0; position <= 302; ++position) {
    CAPTURE(position);
    rig.evaluator().set_variable("_position", static_cast<double>(position == 302 ? 0 : position));
    rig.fill("_act", x);
    rig.run("go");
    check_near(rig.numbers("_act"), turned(rope, position == 302 ? 0 : position, x, head_size),
               largest(x));
  }
}

}  // namespace

TEST_CASE("rope: both layouts, part of a head, either direction, past four restarts") {
  check_rope({.layout = RopeLayout::half_split, .dims = 12}, 12);
  check_rope({.layout = RopeLayout::interleaved, .dims = 12}, 12);
  check_rope({.layout = RopeLayout::half_split, .base = 500000, .dims = 8}, 12);
  check_rope({.layout = RopeLayout::interleaved, .base = 100, .dims = 4}, 10);
  check_rope({.layout = RopeLayout::half_split, .dims = 12, .sign = -1}, 12);
  check_rope({.layout = RopeLayout::interleaved, .dims = 2, .sign = -1}, 3);
}

TEST_CASE("rope with scaled frequencies") {
  RopeSpec rope{.layout = RopeLayout::half_split, .base = 256, .dims = 12};
  rope.scaling_factor = 3.7;
  rope.scaling = RopeScaling::linear;
  check_rope(rope, 12);
  rope.scaling = RopeScaling::llama3;
  rope.original_positions = 100;
  check_rope(rope, 12);
  rope.low_frequency = 0.1;
  rope.high_frequency = 17;
  check_rope(rope, 12);
}

namespace {

ScoreBlocks score_blocks(BlockRig& rig, const ExpBlocks& exp, const AttendWith& with) {
  ScoreBlocks on_scores{exp, {}};
  if (with.score_cap > 0) {
    on_scores.cap = emit_cap(rig.engine, rig.w, emit_tanh(rig.engine, rig.w, exp),
                             with.score_cap / score_factor(with), "cap");
  }
  return on_scores;
}

// Runs `positions` tokens in two caches of one attention, whose regions are full of junk at first.
void check_attention(const AttentionSpec& spec, int span, int positions, bool compiled) {
  CAPTURE(compiled);
  CAPTURE(spec.query_heads);
  CAPTURE(spec.head_size);
  Random random(11);
  const int q_width = spec.query_heads * spec.head_size, kv_width = spec.kv_heads * spec.head_size;
  const bool wraps = positions > span;
  const StoreShape in = {.width = kv_width,
                         .span = span,
                         .wraps = wraps,
                         .k_at = 3 + q_width,
                         .v_at = 3 + q_width + kv_width};
  const AttendShape at = {.with = {spec.query_heads, spec.kv_heads, spec.head_size, spec.window,
                                   spec.score_scale, spec.score_cap},
                          .span = span,
                          .wraps = wraps,
                          .q_at = 3,
                          .scores_at = in.v_at + kv_width,
                          .out_at = in.v_at + kv_width + kHeadsAtOnce * (span + kValueBlock)};
  const auto act_size = static_cast<std::size_t>(at.out_at + q_width);
  const auto cache_size = static_cast<std::size_t>(2 * span * kv_width);
  BlockRig rig;
  const ExpBlocks exp = emit_exp(rig.engine, rig.w);
  const auto store = emit_store(rig.engine, rig.w, in, "1");
  const auto attend = emit_attention(rig.engine, rig.w, score_blocks(rig, exp, at.with), at, "1");
  const auto cache_at = rig.engine.var<Num>("cache at");
  rig.on("prepare", [&](Script& s) { s.call(exp.prepare); });
  rig.on("go", [&](Script& s) {
    s.call(store, cache_at);
    s.call(attend, cache_at);
  });
  rig.fill("_keys", random_numbers(random, cache_size));
  rig.fill("_values", random_numbers(random, cache_size));
  rig.evaluator().set_variable("_compiled", compiled ? 1.0 : 0.0);
  rig.run("prepare");

  KvCache caches[2] = {KvCache(kv_width), KvCache(kv_width)};
  for (int position = 0; position < positions; ++position) {
    rig.evaluator().set_variable("_position", static_cast<double>(position));
    for (int pass = 0; pass < 2; ++pass) {
      CAPTURE(position);
      CAPTURE(pass);
      std::vector<double> act = random_numbers(random, act_size);
      const auto region = [&](int from, int count) {
        return std::span(act).subspan(static_cast<std::size_t>(from - 1),
                                      static_cast<std::size_t>(count));
      };
      caches[pass].append(region(in.k_at, kv_width), region(in.v_at, kv_width));
      std::vector<double> expected(static_cast<std::size_t>(q_width));
      ops::attention(spec, region(at.q_at, q_width), caches[pass], expected);
      rig.fill("_act", act);
      rig.evaluator().set_variable("cache at", static_cast<double>(1 + pass * span * kv_width));
      rig.run("go");
      act = rig.numbers("_act");
      check_near(region(at.out_at, q_width), expected, 1);
    }
  }
}

// In the forms for both kinds of VM.
void check_attention(const AttentionSpec& spec, int span, int positions) {
  check_attention(spec, span, positions, true);
  check_attention(spec, span, positions, false);
}

}  // namespace

TEST_CASE("attention: grouped heads, across blocks of positions up to the whole span") {
  check_attention({.query_heads = 6, .kv_heads = 2, .head_size = 5}, 96, 96);
  check_attention({.query_heads = 1, .kv_heads = 1, .head_size = 1}, 32, 32);
  check_attention({.query_heads = 3, .kv_heads = 3, .head_size = 4}, 64, 40);
}

TEST_CASE("attention: windows, in caches of the whole context and in those that wrap") {
  check_attention({.query_heads = 6, .kv_heads = 2, .head_size = 5, .window = 1}, 32, 30);
  check_attention({.query_heads = 6, .kv_heads = 2, .head_size = 5, .window = 40}, 96, 96);
  check_attention({.query_heads = 6, .kv_heads = 2, .head_size = 5, .window = 32}, 32, 140);
  check_attention({.query_heads = 2, .kv_heads = 2, .head_size = 4, .window = 41}, 64, 200);
  check_attention({.query_heads = 1, .kv_heads = 1, .head_size = 3, .window = 1}, 32, 70);
}

TEST_CASE("attention: scores with a scale of their own, and capped, before windows hide any") {
  AttentionSpec spec{.query_heads = 6, .kv_heads = 2, .head_size = 5};
  spec.score_scale = 1.75;
  check_attention(spec, 32, 32);
  spec.score_cap = 1.5;
  check_attention(spec, 64, 40);
  spec.window = 20;
  check_attention(spec, 32, 70);
  spec.score_scale = 0;
  check_attention(spec, 96, 60);
}

TEST_CASE("attention: heads longer than one expression") {
  check_attention({.query_heads = 2, .kv_heads = 1, .head_size = 97}, 32, 18);
  check_attention({.query_heads = 2, .kv_heads = 1, .head_size = 200}, 32, 3);
}

namespace {

std::vector<double> routed(const FeedForwardSpec& spec, const std::vector<double>& logits) {
  std::vector<std::size_t> order(logits.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return logits[a] > logits[b]; });
  const double top = logits[order[0]];
  double sum = 0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    const bool counts =
        spec.router_norm == RouterNorm::all || rank < static_cast<std::size_t>(spec.top_k);
    if (counts) sum += std::exp(logits[order[rank]] - top);
  }
  std::vector<double> weights(logits.size());
  for (std::size_t rank = 0; rank < static_cast<std::size_t>(spec.top_k); ++rank) {
    weights[order[rank]] = std::exp(logits[order[rank]] - top) / sum;
  }
  return weights;
}

void check_router(int experts, int top_k, RouterNorm norm) {
  CAPTURE(experts);
  CAPTURE(top_k);
  const FeedForwardSpec spec = {.routed_experts = experts, .top_k = top_k, .router_norm = norm};
  BlockRig rig;
  const ExpBlocks exp = emit_exp(rig.engine, rig.w);
  const auto route = emit_router(rig.engine, rig.w, exp, {experts, top_k, norm}, "1");
  rig.on("prepare", [&](Script& s) { s.call(exp.prepare); });
  rig.on("go", [&](Script& s) { s.call(route, 2, 2 + experts); });
  rig.run("prepare");
  Random random(13);
  const auto count = static_cast<std::size_t>(experts);
  for (int round = 0; round < 40; ++round) {
    std::vector<double> logits = random_numbers(random, count);
    for (double& logit : logits) {
      if (round % 2 == 1) logit = std::round(logit);  // many ties
      if (round % 5 == 4) logit = 1000 * logit;
      if (round == 7) logit = -3;
    }
    std::vector<double> act = {kJunk};
    act.insert(act.end(), logits.begin(), logits.end());
    act.resize(1 + 2 * count, kJunk);
    rig.fill("_act", act);
    rig.run("go");
    act = rig.numbers("_act");
    CAPTURE(round);
    const std::vector<double> expected = routed(spec, logits);
    for (std::size_t e = 0; e < count; ++e) {
      CAPTURE(e);
      const double got = act[1 + count + e];
      CHECK(std::fabs(got - expected[e]) <= kTolerance * expected[e]);  // 0 stays 0
    }
  }
}

}  // namespace

TEST_CASE("router: every k, both norms, ties to the lower index") {
  for (const int experts : {1, 2, 5, 8}) {
    for (int top_k = 1; top_k <= experts; ++top_k) {
      check_router(experts, top_k, RouterNorm::chosen);
      check_router(experts, top_k, RouterNorm::all);
    }
  }
}
