// Whole files: mapped for reading (file.cc), written beside and renamed (file_write.cc).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace sb3lm {

using Bytes = std::span<const std::uint8_t>;

/// A file mapped read-only for as long as the object lives. Throws bad_input if it cannot be read.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  Bytes bytes() const { return {data_, size_}; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }

 private:
  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Puts `contents` where `path` leads, whole or not at all: written beside, brought to the disk,
/// then renamed. A link stays and leads to the new file; a file that was there passes on its mode
/// and, where that is allowed, its owner. What is no regular file (a device, a FIFO) is written to.
/// Parts that killed runs left of the same file are removed. Throws bad_input with the system's
/// reason, the old file untouched.
void write_file(const std::filesystem::path& path, std::string_view contents);

/// What write_file would fail on whatever the contents: throws bad_input if there is no folder for
/// the file, a folder of that name, or no permission.
void check_writable(const std::filesystem::path& path);

/// Whether both names lead to one regular file, be it through links.
bool same_file(const std::filesystem::path& one, const std::filesystem::path& other);

inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace sb3lm
