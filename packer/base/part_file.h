// How file_write.cc brings a file to the disk: all that systems differ in.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace sb3lm {

/// What is to become a file, beside it. It is locked as long as it has a writer. All throw
/// bad_input with the system's reason.
class PartFile {
 public:
  /// A file `target` that is there passes on its mode and owner.
  explicit PartFile(const std::filesystem::path& target);
  /// Removes it, unless it has replaced the target.
  ~PartFile();
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  /// Once, up to the disk.
  void write(std::string_view contents);
  void replace_target();

 private:
  std::filesystem::path target_, name_;
  std::intptr_t handle_ = kNone;  // the system's
  bool renamed_ = false;
  static constexpr std::intptr_t kNone = -1;
};

inline constexpr int kMostParts = 100;

/// TARGET.sb3lm-PROCESS-NUMBER.part
std::filesystem::path part_name(const std::filesystem::path& target, long long process, int number);

/// Removes a part of ours that nobody holds the lock of.
void remove_if_lost(const std::filesystem::path& part);

/// The system's reason not to let us write a file that is there, or into a folder; empty: none.
std::string why_not_writable(const std::filesystem::path& path);

/// Whether it is there, and neither a regular file nor a folder but a device or a FIFO.
bool is_special_file(const std::filesystem::path& path);

/// Into such a file.
void write_into(const std::filesystem::path& path, std::string_view contents);

}  // namespace sb3lm
