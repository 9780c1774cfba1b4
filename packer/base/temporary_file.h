// Files that nobody needs afterwards.
#pragma once

#include <filesystem>
#include <string_view>

namespace sb3lm {

/// A file with `contents`, which nobody else can have made, for as long as the object lives.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view contents);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// What it is made of: an empty file in the system's folder for such. Throws bad_input.
std::filesystem::path make_temporary_file();

}  // namespace sb3lm
