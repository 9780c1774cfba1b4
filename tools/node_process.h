// Runs a script of the Node harness in tools/vm.
#pragma once

#include <string>
#include <vector>

#include "base/process.h"

namespace sb3lm {

/// `script` is a file of tools/vm. What it says on standard error is dropped. Throws unsupported if
/// Node or the harness is missing.
ProcessOutput run_node(const std::string& script, const std::vector<std::string>& arguments);

}  // namespace sb3lm
