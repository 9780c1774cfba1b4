#include "compare.h"

#include "base/error.h"
#include "vm_process.h"

namespace sb3lm {

Comparison compare_vms(const Model& model, int context, const scratch::Program& program,
                       const std::filesystem::path& sb3, const std::string& vm,
                       const BlockRequest& request, Progress& progress) {
  Comparison comparison;
  Engine engine(model, context);
  for (const char* name : {"blocks", "scratch", "turbowarp"}) {
    if (vm != "all" && vm != name) continue;
    VmComparison one{.name = name};
    if (one.name == "blocks") {
      BlockSession session(program, progress);
      one.result = session.run(request, progress);
      one.seconds_loading = session.seconds_loading();
    } else {
      progress.report(fmt::format("running in {}", name), -1);
      VmResult result = run_in_vm(name, sb3, request);
      one.result = std::move(result.run);
      one.seconds_loading = result.seconds_loading;
    }
    if (one.result.status != "ready") {
      one.agreement.ok = false;
      one.agreement.first_difference = "status: " + one.result.status;
    } else {
      progress.report("running the reference", -1);
      one.agreement =
          check_against_engine(engine, request.tokens, one.result.tokens, one.result.logits);
    }
    if (!comparison.vms.empty() && comparison.vms.front().name == "blocks") {
      one.same_bits = same_bits(one.result.logits, comparison.vms.front().result.logits) &&
                      one.result.tokens == comparison.vms.front().result.tokens;
    }
    comparison.ok = comparison.ok && one.agreement.ok && one.same_bits;
    comparison.vms.push_back(std::move(one));
  }
  return comparison;
}

}  // namespace sb3lm
