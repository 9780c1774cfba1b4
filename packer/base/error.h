// One exception for everything that can go wrong, caught once in tools/main.cc.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>

namespace sb3lm {

/// What kind of failure it is; the value is the process's exit code (README.md, "Using it").
enum class Fault {
  mismatch = 1,     // verification failed, or a build is over its budget
  usage = 2,        // the command line asks for something that makes no sense
  bad_input = 3,    // a file is broken, contradictory or cannot be read or written
  unsupported = 4,  // valid, but not something that we handle; or a needed program is missing
  bug = 70,         // our own mistake
};

class Error : public std::runtime_error {
 public:
  Error(Fault fault_kind, const std::string& text) : std::runtime_error(text), fault(fault_kind) {}
  Fault fault;
};

/// Throws Error with a formatted text. Texts start with the object at fault (file, tensor, offset)
/// and end with the rule that it breaks or with what to do.
template <class... Args>
[[noreturn]] void fail(Fault fault, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(fault, fmt::format(format, std::forward<Args>(args)...));
}

/// Checks an assumption of our own; a failure is a bug, not bad input.
inline void check(bool holds, const char* what) {
  if (!holds) throw Error(Fault::bug, fmt::format("internal error: {}", what));
}

}  // namespace sb3lm
