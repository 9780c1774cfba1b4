// The full-scale shape of SSMoELM-5L with random weights: it fits the 10 MiB limit, the blocks
// compute the engine's logits, and TurboWarp computes the block evaluator's bits.
#include <doctest/doctest.h>

#include "pack.h"
#include "report/limits.h"
#include "report/report.h"
#include "runtime_ref/verify.h"
#include "sb3/sb3.h"
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
constexpr std::size_t kMostOther = 126000, kMostBlocks = 62500;
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

}  // namespace

TEST_CASE("SSMoELM-5L, synthetic, at full scale") {
  SilentProgress silent;
  const Model model = tiny_model("ssmoelm-5l");
  VmJob job{.name = "ssmoelm-5l",
            .sb3 = pack(model, {.lower = {.context = kContext, .title = "full"}}, silent),
            .runs = {kRequest}};
  CHECK(job.sb3.size() <= kLimit);
  CHECK(job.sb3.size() > kLimit / 2);  // 40 million weights are really in it
  check_shares(job.sb3);

  BlockResult blocks;
  {
    const scratch::Program program = read_sb3("full.sb3", as_bytes(job.sb3));
    CHECK(unpack("full.sb3", program).model.spec.passes.size() == 6);
    BlockSession session(program, silent);
    blocks = session.run(kRequest, silent);
  }
  CHECK(blocks.status == "ready");
  REQUIRE(blocks.tokens.size() == 2);
  {
    Engine engine(model, kContext);
    const Agreement agreement =
        check_against_engine(engine, kRequest.tokens, blocks.tokens, blocks.logits);
    INFO(agreement.first_difference);
    CHECK(agreement.ok);
    CHECK(agreement.positions == 4);
    CHECK(agreement.max_rel_error < 1e-11);
  }
  const auto results = run_batch(SB3LM_SOURCE_DIR, "turbowarp", {job});
  if (!results) {
    MESSAGE("skipped: TurboWarp cannot run here (tools/setup installs what it needs)");
    return;
  }
  const BlockResult& turbowarp = results->at(0).at(0);
  CHECK(turbowarp.status == "ready");
  CHECK(turbowarp.tokens == blocks.tokens);
  CHECK(turbowarp.logits.size() == 4 * 8192);
  CHECK(same_bits(turbowarp.logits, blocks.logits));
}

TEST_CASE("the largest model of that shape for Scratch's website, nearly") {
  SilentProgress silent;
  constexpr int kVocabulary = 3712;
  const Model model =
      tiny_model(SynthOptions{.preset = "ssmoelm-5l", .layers = 2, .vocabulary = kVocabulary});
  VmJob job{.name = "site",
            .sb3 = pack(model,
                        {.lower = {.context = kContext,
                                   .encoding = "range",
                                   .title = "site",
                                   .tune = Tune::scratch,
                                   .kernel = Kernel::columns}},
                        silent),
            .runs = {kRequest}};
  job.runs[0].tokens = {0, 1300, kVocabulary - 1};
  CHECK(over_limits(BuildTarget::site, as_bytes(job.sb3)) == std::vector<std::string>{});
  BlockSession session(read_sb3("site.sb3", as_bytes(job.sb3)), silent);
  const BlockResult blocks = session.run(job.runs[0], silent);
  REQUIRE(blocks.tokens.size() == 2);
  Engine engine(model, kContext);
  const Agreement agreement =
      check_against_engine(engine, job.runs[0].tokens, blocks.tokens, blocks.logits);
  INFO(agreement.first_difference);
  CHECK(agreement.ok);
  CHECK(agreement.max_rel_error < 1e-11);
  const auto results = run_batch(SB3LM_SOURCE_DIR, "turbowarp", {job});
  if (!results) {
    MESSAGE("skipped: TurboWarp cannot run here (tools/setup installs what it needs)");
    return;
  }
  CHECK(results->at(0).at(0).tokens == blocks.tokens);
  CHECK(same_bits(results->at(0).at(0).logits, blocks.logits));
}
