// Sampling in blocks against the native sampler: the same tokens for any settings and logits.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "kernels/kernels.h"
#include "runtime_ref/sampler.h"
#include "support/block_rig.h"
#include "support/random_model.h"

namespace {

using namespace sb3lm;
using namespace sb3lm::blocks;
using namespace sb3lm::test;

constexpr int kLogitsAt = 3;  // after two items of something else

// The blocks for one size of vocabulary; settings are variables, as on the stage.
class BlockSampler {
 public:
  explicit BlockSampler(int vocabulary) : vocabulary_(vocabulary) {
    const ExpBlocks exp = emit_exp(rig_.engine, rig_.w);
    const auto setting = [&](const char* name) { return rig_.engine.var<Num>(name); };
    const SampleBlocks blocks = emit_sample(rig_.engine, rig_.w, exp,
                                            {.vocabulary = vocabulary,
                                             .logits_at = kLogitsAt,
                                             .temperature = setting("temperature"),
                                             .top_k = setting("top k"),
                                             .top_p = setting("top p"),
                                             .repetition_penalty = setting("repetition penalty"),
                                             .seed = setting("seed")});
    const auto id = setting("id");
    rig_.on("prepare", [&](Script& s) { s.call(exp.prepare); });
    rig_.on("restart", [&](Script& s) { s.call(blocks.restart); });
    rig_.on("see", [&](Script& s) { s.call(blocks.see, id); });
    rig_.on("pick", [&](Script& s) { s.call(blocks.pick); });
    rig_.run("prepare");
  }

  void restart(const SamplingOptions& options) {
    BlockEvaluator& evaluator = rig_.evaluator();
    evaluator.set_variable("temperature", options.temperature);
    evaluator.set_variable("top k", static_cast<double>(options.top_k));
    evaluator.set_variable("top p", options.top_p);
    evaluator.set_variable("repetition penalty", options.repetition_penalty);
    evaluator.set_variable("seed", options.seed);
    rig_.run("restart");
  }
  void saw(int id) {
    rig_.evaluator().set_variable("id", static_cast<double>(id));
    rig_.run("see");
  }
  int sample(const std::vector<double>& logits) {
    std::vector<double> act = {1e9, 1e9};
    act.insert(act.end(), logits.begin(), logits.end());
    act.push_back(1e9);
    rig_.fill("_act", act);
    rig_.run("pick");
    return static_cast<int>(rig_.evaluator().number("_token"));
  }
  int vocabulary() const { return vocabulary_; }

 private:
  int vocabulary_;
  BlockRig rig_;
};

// Kinds of logits: all different; few values, so many ties; one far ahead; all equal.
std::vector<double> make_logits(Random& random, int vocabulary) {
  std::vector<double> logits = random_numbers(random, static_cast<std::size_t>(vocabulary));
  const std::uint64_t kind = random.bits() % 5;
  for (double& logit : logits) {
    logit *= 2;
    if (kind == 1) logit = std::round(logit);
    if (kind == 2) logit = logit > 0 ? 1.5 : -1.5;
    if (kind == 4) logit = -2.25;
  }
  if (kind == 3) logits[random.bits() % logits.size()] = 60;
  return logits;
}

// Where the sum of kept probabilities just reaches top p, rounding decides; so top p is no number
// that ties can add up to.
SamplingOptions random_options(Random& random, int vocabulary) {
  SamplingOptions options;
  const auto flip = [&] { return random.bits() >> 32 & 1; };
  options.temperature = flip() ? random.uniform() * 4 : flip() ? 1 : flip() ? 0.05 : 0;
  if (flip()) options.top_k = static_cast<int>(random.bits() % (vocabulary + 3u));
  if (flip()) options.top_p = flip() ? random.uniform() : 0.9071;
  if (flip()) options.repetition_penalty = flip() ? 1.3 : 0.5 + random.uniform();
  options.seed = std::floor((random.uniform() - 0.3) * 1e10);
  return options;
}

std::size_t check_run(BlockSampler& blocks, const SamplingOptions& options, Random& random) {
  INFO("temperature ", options.temperature, ", top k ", options.top_k, ", top p ", options.top_p,
       ", penalty ", options.repetition_penalty, ", seed ", options.seed, ", vocabulary ",
       blocks.vocabulary());
  Sampler native(options, blocks.vocabulary());
  blocks.restart(options);
  std::size_t not_largest = 0;
  for (int step = 0; step < 6; ++step) {
    const std::vector<double> logits = make_logits(random, blocks.vocabulary());
    const int expected = native.sample(logits);
    CAPTURE(step);
    REQUIRE(blocks.sample(logits) == expected);
    not_largest += logits[static_cast<std::size_t>(expected)] <
                   *std::max_element(logits.begin(), logits.end());
    if (step % 2 == 0) {
      native.saw(expected);
      blocks.saw(expected);
    }
  }
  return not_largest;
}

}  // namespace

TEST_CASE("hundreds of settings pick the same tokens as the native sampler") {
  std::size_t not_largest = 0;
  for (const int vocabulary : {1, 2, 7, 100}) {
    BlockSampler blocks(vocabulary);
    Random random(static_cast<std::uint64_t>(vocabulary));
    for (int round = 0; round < 200; ++round) {
      not_largest += check_run(blocks, random_options(random, vocabulary), random);
    }
  }
  CHECK(not_largest > 300);  // the settings do leave something to chance
}

TEST_CASE("settings at the edges") {
  BlockSampler blocks(7);
  Random random(21);
  for (const double seed : {0.0, 1.0, -1.0, 0.5, -0.5, 2147483645.0, 2147483646.0, 2147483647.0,
                            4294967296.0, 1e15, -1e15}) {
    check_run(blocks, {.temperature = 1, .seed = seed}, random);
  }
  for (const double top_p : {0.0, 1e-300, 0.999999, 1.0, 2.0}) {
    check_run(blocks, {.temperature = 1, .top_p = top_p}, random);
    check_run(blocks, {.temperature = 1, .top_k = 3, .top_p = top_p}, random);
  }
  for (const int top_k : {1, 6, 7, 8, 1000}) {
    check_run(blocks, {.temperature = 0.7, .top_k = top_k}, random);
  }
  for (const double temperature : {1e-3, 1e-6, 1e6}) {
    check_run(blocks, {.temperature = temperature}, random);
  }
}

TEST_CASE("the penalty counts a token once, whatever its sign") {
  BlockSampler blocks(3);
  blocks.restart({.temperature = 0, .repetition_penalty = 2});
  CHECK(blocks.sample({3, 2, 1}) == 0);
  blocks.saw(0);
  blocks.saw(0);
  CHECK(blocks.sample({3, 2, 1}) == 1);       // 1.5, 2, 1
  CHECK(blocks.sample({5, 2, 1}) == 0);       // 2.5, 2, 1: halved once
  CHECK(blocks.sample({-1, -1.5, -3}) == 1);  // -2, -1.5, -3
  blocks.restart({.temperature = 0, .repetition_penalty = 2});
  CHECK(blocks.sample({3, 2, 1}) == 0);  // forgotten
}
