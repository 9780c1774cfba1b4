// A folder of this run's own, removed at the end.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>

#include "base/error.h"

namespace sb3lm::test {

class TempFolder {
 public:
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "sb3lm-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) fail(Fault::bad_input, "{}: cannot be made", name);
    path_ = name;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace sb3lm::test
