// Every small model, built, to be run in real virtual machines.
#pragma once

#include <string>
#include <vector>

#include "support/vm_batch.h"

namespace sb3lm::test {

struct VmCase {
  VmJob job;
  std::vector<BlockResult> expected;  // in the block evaluator, one after the other
};
/// Runs the job in the block evaluator.
VmCase case_of(VmJob job);

/// Checks (as doctest does) that machine `vm` gives the very bits of the block evaluator for each.
/// Without the machine it says so; tools/setup with `option` installs it.
void check_in_machine(const std::string& source_dir, const std::string& vm,
                      const std::string& option, const std::vector<VmCase>& cases);

std::vector<VmJob> tiny_model_jobs();
/// The same for these.
void check_tiny_models(const std::string& source_dir, const std::string& vm,
                       const std::string& option);

}  // namespace sb3lm::test
