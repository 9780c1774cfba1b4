// Runs finished projects in a real virtual machine through tools/vm, many in one go.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime_ref/block_session.h"

namespace sb3lm::test {

struct VmJob {
  std::string name;  // for messages
  std::string sb3;   // bytes
  std::vector<BlockRequest> runs;
};

/// The result of every run of every job; nothing if Node, Chromium or an npm package is missing
/// (the harness says which on stderr). Throws if a project fails or does not compile. `source_dir`
/// holds tools/; `vm` is a machine of tools/vm.
std::optional<std::vector<std::vector<BlockResult>>> run_batch(const std::string& source_dir,
                                                               const std::string& vm,
                                                               const std::vector<VmJob>& jobs);

/// What Scratch's own parser says against each project, one line each, empty if it takes them all;
/// nothing if Node or the parser is missing.
std::optional<std::string> parser_complaints(const std::string& source_dir,
                                             const std::vector<VmJob>& jobs);

}  // namespace sb3lm::test
