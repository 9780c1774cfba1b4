#include "support/vm_models.h"

#include <doctest/doctest.h>

#include "runtime_ref/verify.h"
#include "sb3/sb3.h"
#include "support/built_models.h"
#include "support/skip.h"

namespace sb3lm::test {
namespace {

struct Case {
  VmJob job;
  std::vector<BlockResult> expected;  // in the block evaluator, one after the other
};

// A greedy run with all logits; for two of the models then one with chance in it.
Case case_of(BuiltModel built) {
  SilentProgress silent;
  BlockRequest sampled = comparison_request(built.model);
  sampled.record_logits = 1;
  sampled.temperature = 0.9;
  sampled.top_k = 40;
  sampled.top_p = 0.9;
  sampled.repetition_penalty = 1.1;
  sampled.seed = 12345;
  Case made{.job = {.name = built.name,
                    .sb3 = std::move(built.sb3),
                    .runs = {comparison_request(built.model)}},
            .expected = {}};
  if (built.name == "tiny-moe" || built.name == "tiny-dense-untied --bits float") {
    made.job.runs.push_back(sampled);
  }
  BlockSession session(read_sb3(made.job.name, as_bytes(made.job.sb3)), silent);
  for (const BlockRequest& run : made.job.runs) {
    made.expected.push_back(session.run(run, silent));
  }
  return made;
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all = [] {
    std::vector<Case> made;
    for (BuiltModel& built : build_all_tiny()) made.push_back(case_of(std::move(built)));
    return made;
  }();
  return all;
}

}  // namespace

std::vector<VmJob> tiny_model_jobs() {
  std::vector<VmJob> all;
  for (const Case& one : cases()) all.push_back(one.job);
  return all;
}

void check_tiny_models(const std::string& source_dir, const std::string& vm,
                       const std::string& option) {
  const auto results = run_batch(source_dir, vm, tiny_model_jobs());
  if (!results) {
    return skip_case(vm + " cannot run here (tools/setup " + option + " installs what it needs)");
  }
  for (std::size_t i = 0; i < cases().size(); ++i) {
    CAPTURE(cases()[i].job.name);
    const std::vector<BlockResult>& expected = cases()[i].expected;
    REQUIRE((*results)[i].size() == expected.size());
    for (std::size_t run = 0; run < expected.size(); ++run) {
      CAPTURE(run);
      const BlockResult& got = (*results)[i][run];
      CHECK(got.status == expected[run].status);
      CHECK(got.stop_reason == expected[run].stop_reason);
      CHECK(got.tokens == expected[run].tokens);
      CHECK(got.text == expected[run].text);
      CHECK(got.logits.size() == expected[run].logits.size());
      CHECK(same_bits(got.logits, expected[run].logits));
    }
  }
}

}  // namespace sb3lm::test
