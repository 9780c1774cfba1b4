#include "support/vm_models.h"

#include <doctest/doctest.h>

#include "runtime_ref/verify.h"
#include "sb3/sb3.h"
#include "support/built_models.h"
#include "support/skip.h"

namespace sb3lm::test {
namespace {

// A greedy run with all logits; for two of the models then one with chance in it.
VmCase case_of_tiny(BuiltModel built) {
  BlockRequest sampled = comparison_request(built.model);
  sampled.record_logits = 1;
  sampled.temperature = 0.9;
  sampled.top_k = 40;
  sampled.top_p = 0.9;
  sampled.repetition_penalty = 1.1;
  sampled.seed = 12345;
  VmJob job{
      .name = built.name, .sb3 = std::move(built.sb3), .runs = {comparison_request(built.model)}};
  if (built.name == "tiny-moe" || built.name == "tiny-dense-untied --bits float") {
    job.runs.push_back(sampled);
  }
  return case_of(std::move(job));
}

const std::vector<VmCase>& cases() {
  static const std::vector<VmCase> all = [] {
    std::vector<VmCase> made;
    for (BuiltModel& built : build_all_tiny()) made.push_back(case_of_tiny(std::move(built)));
    return made;
  }();
  return all;
}

}  // namespace

VmCase case_of(VmJob job) {
  SilentProgress silent;
  VmCase made{.job = std::move(job), .expected = {}};
  BlockSession session(read_sb3(made.job.name, as_bytes(made.job.sb3)), silent);
  for (const BlockRequest& run : made.job.runs) {
    made.expected.push_back(session.run(run, silent));
  }
  return made;
}

void check_in_machine(const std::string& source_dir, const std::string& vm,
                      const std::string& option, const std::vector<VmCase>& cases) {
  std::vector<VmJob> jobs;
  for (const VmCase& one : cases) jobs.push_back(one.job);
  const auto results = run_batch(source_dir, vm, jobs);
  if (!results) {
    return skip_case(vm + " cannot run here (tools/setup " + option + " installs what it needs)");
  }
  for (std::size_t i = 0; i < cases.size(); ++i) {
    CAPTURE(cases[i].job.name);
    const std::vector<BlockResult>& expected = cases[i].expected;
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

std::vector<VmJob> tiny_model_jobs() {
  std::vector<VmJob> all;
  for (const VmCase& one : cases()) all.push_back(one.job);
  return all;
}

void check_tiny_models(const std::string& source_dir, const std::string& vm,
                       const std::string& option) {
  std::vector<VmCase> all = cases();
  if (!vm.starts_with("scratch")) all.push_back(case_of_tiny(build_in_lists()));
  check_in_machine(source_dir, vm, option, all);
}

}  // namespace sb3lm::test
