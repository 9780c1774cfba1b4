// Runs a script of the Node harness in tools/vm.
#pragma once

#include <string>
#include <vector>

namespace sb3lm {

struct NodeOutput {
  int exit_code = 0;
  std::string text;  // its standard output
};

/// `script` is a file of tools/vm. What it says on standard error is dropped. Throws unsupported if
/// Node or the harness is missing.
NodeOutput run_node(const std::string& script, const std::vector<std::string>& arguments);

}  // namespace sb3lm
