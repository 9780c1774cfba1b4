// Test cases that need what a machine may lack: a browser, an npm package, a folder of models.
#pragma once

#include <string>

namespace sb3lm::test {

/// Counts the running test case as skipped and says why; the case ends by itself. A program of
/// whose cases all were skipped exits with 77, which ctest shows as skipped.
void skip_case(const std::string& why);

/// The same where a virtual machine (see tools/vm) cannot run here.
void skip_without(const std::string& vm);

}  // namespace sb3lm::test
