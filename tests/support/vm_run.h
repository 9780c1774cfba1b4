// Runs a project in a real virtual machine through tools/vm, and in the block evaluator, and gives
// its lists in one form: "n:" and 16 hexadecimal digits of a double, or "s:" and a text.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "scratch/ir.h"

namespace sb3lm::test {

using Lists = std::map<std::string, std::vector<std::string>>;

/// The harness's result for a request (tools/vm/README.md), both JSON; nothing if Node, Chromium or
/// an npm package is missing. `source_dir` is the one that holds tools/; `vm` is "scratch" or
/// "turbowarp". Throws on any other failure.
std::optional<std::string> run_request(const std::string& source_dir, const std::string& vm,
                                       const std::string& sb3, const std::string& request);

/// The lists of each project after the green flag, once `done_variable` has the value 1. The
/// machine is started once, which takes longer than a small project.
std::optional<std::vector<Lists>> run_all_in_vm(const std::string& source_dir,
                                                const std::string& vm,
                                                const std::vector<std::string>& sb3s,
                                                const std::vector<std::string>& lists,
                                                const std::string& done_variable);
/// The same for one project.
std::optional<Lists> run_in_vm(const std::string& source_dir, const std::string& vm,
                               const std::string& sb3, const std::vector<std::string>& lists,
                               const std::string& done_variable);

/// The same in the block evaluator, from the same bytes.
Lists run_in_evaluator(const std::string& sb3, const std::vector<std::string>& lists,
                       const std::string& done_variable);

}  // namespace sb3lm::test
