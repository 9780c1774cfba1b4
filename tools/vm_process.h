// Runs an .sb3 in a real VM through the Node harness in tools/vm.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "runtime_ref/block_session.h"

namespace sb3lm {

struct VmResult {
  BlockResult run;
  double seconds_loading = 0;
};

/// `vm` is a machine of tools/vm. Throws unsupported if Node, a browser or an npm package is
/// missing (with the command that installs it), mismatch if the project fails.
VmResult run_in_vm(const std::string& vm, const std::filesystem::path& sb3,
                   const BlockRequest& request);

}  // namespace sb3lm
