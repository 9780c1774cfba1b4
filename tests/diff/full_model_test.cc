// The full-scale shape of SSMoELM-5L with random weights: it fits the 10 MiB limit, the blocks
// compute the engine's logits, and TurboWarp computes the block evaluator's bits.
#include <doctest/doctest.h>

#include "pack.h"
#include "report/limits.h"
#include "report/report.h"
#include "runtime_ref/verify.h"
#include "sb3/sb3.h"
#include "support/skip.h"
#include "support/tiny_model.h"
#include "support/vm_batch.h"
#include "unpack/unpack.h"

namespace {

using namespace sb3lm;
using namespace sb3lm::test;

constexpr std::size_t kLimit = 10485760;
constexpr int kContext = 128;
const BlockRequest kRequest{.tokens = {0, 2730, 8191}, .max_new_tokens = 2, .record_logits = 2};

// What a project costs beside its weights, and its codes beside their entropy.
constexpr std::size_t kMostOther = 126500, kMostBlocks = 64000;
constexpr double kMostCodes = 1.010;

void check_shares(const std::string& sb3) {
  const Report report = make_report("full.sb3", as_bytes(sb3));
  std::size_t codes = 0, other = 0, blocks = 0;
  double entropy = 0;
  for (const ComponentRow& row : report.components) {
    if (row.component <= Component::routed_experts) {
      codes += row.sb3_bytes;
      entropy += row.entropy_bits / 8;
    } else if (row.component >= Component::tokenizer) {
      other += row.sb3_bytes;
    }
    if (row.component == Component::blocks) blocks = row.sb3_bytes;
  }
  CHECK(static_cast<double>(codes) <= kMostCodes * entropy);
  CHECK(other <= kMostOther);
  CHECK(blocks <= kMostBlocks);
}

/// A model, its project, and what the block evaluator makes of the project.
struct Built {
  Model model;
  VmJob job;
  BlockResult blocks;
};

Built run_blocks(Model model, VmJob job) {
  SilentProgress silent;
  const scratch::Program program = read_sb3(job.name + ".sb3", as_bytes(job.sb3));
  BlockSession session(program, silent);
  BlockResult blocks = session.run(job.runs[0], silent);
  return {std::move(model), std::move(job), std::move(blocks)};
}

const Built& five_layers() {
  static const Built built = [] {
    SilentProgress silent;
    Model model = tiny_model("ssmoelm-5l");
    std::string sb3 = pack(model, {.lower = {.context = kContext, .title = "full"}}, silent);
    return run_blocks(std::move(model),
                      {.name = "ssmoelm-5l", .sb3 = std::move(sb3), .runs = {kRequest}});
  }();
  return built;
}

const Built& for_the_website() {
  static const Built built = [] {
    SilentProgress silent;
    constexpr int kVocabulary = 3712;
    Model model =
        tiny_model(SynthOptions{.preset = "ssmoelm-5l", .layers = 2, .vocabulary = kVocabulary});
    std::string sb3 = pack(model,
                           {.lower = {.context = kContext,
                                      .encoding = "range",
                                      .title = "site",
                                      .tune = Tune::scratch,
                                      .kernel = Kernel::columns}},
                           silent);
    BlockRequest request = kRequest;
    request.tokens = {0, 1300, kVocabulary - 1};
    return run_blocks(std::move(model),
                      {.name = "site", .sb3 = std::move(sb3), .runs = {std::move(request)}});
  }();
  return built;
}

void check_engine(const Built& built) {
  CHECK(built.blocks.status == "ready");
  REQUIRE(built.blocks.tokens.size() == 2);
  Engine engine(built.model, kContext);
  const Agreement agreement = check_against_engine(engine, built.job.runs[0].tokens,
                                                   built.blocks.tokens, built.blocks.logits);
  INFO(agreement.first_difference);
  CHECK(agreement.ok);
  CHECK(agreement.positions == 4);
  CHECK(agreement.max_rel_error < 1e-11);
}

void check_turbowarp(const Built& built) {
  const auto results = run_batch(SB3LM_SOURCE_DIR, "turbowarp", {built.job});
  if (!results) return skip_without("turbowarp");
  const BlockResult& turbowarp = results->at(0).at(0);
  CHECK(turbowarp.status == "ready");
  CHECK(turbowarp.tokens == built.blocks.tokens);
  CHECK(turbowarp.logits.size() == 4 * static_cast<std::size_t>(built.model.spec.vocabulary));
  CHECK(same_bits(turbowarp.logits, built.blocks.logits));
}

}  // namespace

TEST_CASE("SSMoELM-5L, synthetic, at full scale: its size, and the block evaluator") {
  const Built& built = five_layers();
  const std::string& sb3 = built.job.sb3;
  CHECK(sb3.size() <= kLimit);
  CHECK(sb3.size() > kLimit / 2);  // 40 million weights are really in it
  check_shares(sb3);
  CHECK(unpack("full.sb3", read_sb3("full.sb3", as_bytes(sb3))).model.spec.passes.size() == 6);
  check_engine(built);
}

TEST_CASE("SSMoELM-5L, synthetic, at full scale: TurboWarp") {
  check_turbowarp(five_layers());
}

TEST_CASE("the largest model of that shape for Scratch's website, nearly: block evaluator") {
  CHECK(over_limits(BuildTarget::site, as_bytes(for_the_website().job.sb3)) ==
        std::vector<std::string>{});
  check_engine(for_the_website());
}

TEST_CASE("the largest model of that shape for Scratch's website, nearly: TurboWarp") {
  check_turbowarp(for_the_website());
}
