#include "base/part_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "base/error.h"

namespace sb3lm {
namespace {

namespace fs = std::filesystem;

class Descriptor {
 public:
  explicit Descriptor(int handle) : handle_(handle) {}
  ~Descriptor() {
    if (is_open()) ::close(handle_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return handle_; }
  bool is_open() const { return handle_ >= 0; }

 private:
  int handle_;
};

std::optional<struct stat> status_of(const fs::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return std::nullopt;
  return info;
}

/// False, with errno, if not everything could be written.
bool write_all(int handle, std::string_view contents) {
  while (!contents.empty()) {
    const ssize_t size = ::write(handle, contents.data(), contents.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return false;
    contents.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

/// False, with errno. Some filesystems have nothing to do here and say so.
bool sync(int handle) {
  return ::fsync(handle) == 0 || errno == EINVAL || errno == EROFS;
}

[[noreturn]] void fail_writing(const fs::path& target) {
  fail(Fault::bad_input, "{}: cannot be written: {}", target.string(), std::strerror(errno));
}

/// A new, locked file; nothing if another run has taken it for a lost one before it was locked.
std::optional<int> open_part(const fs::path& name, mode_t mode) {
  const int handle = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (handle < 0) return handle;
  ::flock(handle, LOCK_EX);
  struct stat info {};
  if (::fstat(handle, &info) == 0 && info.st_nlink > 0) return handle;
  ::close(handle);
  return std::nullopt;
}

void take_over(int handle, const struct stat& before, const fs::path& target) {
  // Not everybody may give files away; then the new one stays ours.
  [[maybe_unused]] const int refused = ::fchown(handle, before.st_uid, before.st_gid);
  if (::fchmod(handle, before.st_mode & 0777) != 0) fail_writing(target);
}

}  // namespace

PartFile::PartFile(const fs::path& target) : target_(target) {
  const std::optional<struct stat> before = status_of(target);
  // Nobody who could not read the old file gets to read the new one.
  const mode_t mode = before ? 0600 : 0666;
  for (int i = 0; i < kMostParts && handle_ == kNone; ++i) {
    name_ = part_name(target, ::getpid(), i);
    const std::optional<int> handle = open_part(name_, mode);
    if (handle == -1 && errno != EEXIST) {
      fail(Fault::bad_input, "{}: {}", target.string(), std::strerror(errno));
    }
    if (handle) handle_ = *handle;
  }
  if (handle_ == kNone) fail(Fault::bad_input, "{}: {}", target.string(), std::strerror(EEXIST));
  if (!before) return;
  try {
    take_over(static_cast<int>(handle_), *before, target);
  } catch (...) {
    ::unlink(name_.c_str());
    ::close(static_cast<int>(handle_));
    throw;
  }
}

PartFile::~PartFile() {
  if (!renamed_) ::unlink(name_.c_str());
  ::close(static_cast<int>(handle_));
}

void PartFile::write(std::string_view contents) {
  const int handle = static_cast<int>(handle_);
  if (!write_all(handle, contents) || !sync(handle)) fail_writing(target_);
}

void PartFile::replace_target() {
  if (::rename(name_.c_str(), target_.c_str()) != 0) fail_writing(target_);
  renamed_ = true;
  // The new file is there; only a crash of the machine could still bring the old one back.
  const fs::path folder = target_.has_parent_path() ? target_.parent_path() : ".";
  const Descriptor handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (handle.is_open()) sync(handle.get());
}

void remove_if_lost(const fs::path& part) {
  const Descriptor handle(::open(part.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat info {};
  if (!handle.is_open() || ::fstat(handle.get(), &info) != 0) return;
  if (!S_ISREG(info.st_mode) || info.st_uid != ::geteuid()) return;
  if (::flock(handle.get(), LOCK_EX | LOCK_NB) != 0) return;
  // While it was opened, its writer may have finished and another one begun.
  const std::optional<struct stat> now = status_of(part);
  if (now && now->st_ino == info.st_ino && now->st_dev == info.st_dev) ::unlink(part.c_str());
}

std::string why_not_writable(const fs::path& path) {
  std::error_code ignored;
  const int wanted = fs::is_directory(path, ignored) ? W_OK | X_OK : W_OK;
  return ::access(path.c_str(), wanted) == 0 ? "" : std::strerror(errno);
}

bool is_special_file(const fs::path& path) {
  const std::optional<struct stat> info = status_of(path);
  return info && !S_ISREG(info->st_mode) && !S_ISDIR(info->st_mode);
}

void write_into(const fs::path& path, std::string_view contents) {
  const Descriptor handle(::open(path.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC));
  if (!handle.is_open() || !write_all(handle.get(), contents)) fail_writing(path);
}

}  // namespace sb3lm
