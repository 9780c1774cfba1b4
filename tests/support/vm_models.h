// Every small model, built, to be run in real virtual machines.
#pragma once

#include <string>
#include <vector>

#include "support/vm_batch.h"

namespace sb3lm::test {

std::vector<VmJob> tiny_model_jobs();

/// Checks (as doctest does) that machine `vm` gives the very bits of the block evaluator for each.
/// Without the machine it says so; tools/setup with `option` installs it.
void check_tiny_models(const std::string& source_dir, const std::string& vm,
                       const std::string& option);

}  // namespace sb3lm::test
