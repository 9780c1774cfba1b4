// A base of readers of files: errors that begin with the file's name.
#pragma once

#include <string>
#include <utility>

#include "base/error.h"

namespace sb3lm {

class FileErrors {
 public:
  /// `file` must outlive this.
  explicit FileErrors(const std::string& file) : file_(file) {}

 protected:
  template <class... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) const {
    sb3lm::fail(Fault::bad_input, "{}: {}", file_,
                fmt::format(format, std::forward<Args>(args)...));
  }
  /// What is valid, but nothing that we handle.
  template <class... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) const {
    sb3lm::fail(Fault::unsupported, "{}: {} is not supported", file_,
                fmt::format(format, std::forward<Args>(args)...));
  }

  const std::string& file_;
};

}  // namespace sb3lm
