#include "compare.h"

#include "base/error.h"
#include "vm_process.h"

namespace sb3lm {
namespace {

VmComparison run_blocks(const scratch::Program& program, const BlockRequest& request,
                        Progress& progress) {
  BlockSession session(program, progress);
  VmComparison blocks{.name = "blocks", .result = session.run(request, progress)};
  blocks.seconds_loading = session.seconds_loading();
  return blocks;
}

VmComparison run_machine(const std::string& name, const std::filesystem::path& sb3,
                         const BlockRequest& request, Progress& progress) {
  progress.report(fmt::format("running in {}", name), -1);
  VmResult result = run_in_vm(name, sb3, request);
  return {.name = name, .result = std::move(result.run), .seconds_loading = result.seconds_loading};
}

Agreement agreement_of(Engine& engine, const BlockRequest& request, const BlockResult& result) {
  if (result.status != "ready") {
    return {.ok = false, .first_difference = "status: " + result.status};
  }
  return check_against_engine(engine, request.tokens, result.tokens, result.logits);
}

// "all" is what the plain tools/setup installs, each engine once.
bool is_asked(const std::string& name, const std::string& vm) {
  return vm == "all" ? name == "blocks" || name == "scratch" || name == "turbowarp" : name == vm;
}

}  // namespace

Comparison compare_vms(const Model& model, int context, const scratch::Program& program,
                       const std::filesystem::path& sb3, const std::string& vm,
                       const BlockRequest& request, Progress& progress) {
  Comparison comparison;
  Engine engine(model, context);
  const VmComparison blocks = run_blocks(program, request, progress);
  for (const std::string name : kVms) {
    if (!is_asked(name, vm)) continue;
    VmComparison one = name == "blocks" ? blocks : run_machine(name, sb3, request, progress);
    progress.report("running the reference", -1);
    one.agreement = agreement_of(engine, request, one.result);
    one.same_bits = same_bits(one.result.logits, blocks.result.logits) &&
                    one.result.tokens == blocks.result.tokens;
    comparison.ok = comparison.ok && one.agreement.ok && one.same_bits;
    comparison.vms.push_back(std::move(one));
  }
  return comparison;
}

}  // namespace sb3lm
