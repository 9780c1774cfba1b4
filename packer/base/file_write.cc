// Nobody ever finds half a file: neither after a crash of this program, nor of the machine.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "base/error.h"
#include "base/file.h"

namespace sb3lm {
namespace {

namespace fs = std::filesystem;

constexpr int kMostLinks = 40;  // as the system follows
constexpr int kMostParts = 100;
constexpr std::string_view kMark = ".sb3lm-", kEnd = ".part";

[[noreturn]] void fail_with(const fs::path& path, int reason) {
  fail(Fault::bad_input, "{}: {}", path.string(), std::strerror(reason));
}

class Descriptor {
 public:
  explicit Descriptor(int handle = -1) : handle_(handle) {}
  ~Descriptor() { reset(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return handle_; }
  bool is_open() const { return handle_ >= 0; }
  void reset(int handle = -1) {
    if (is_open()) ::close(handle_);
    handle_ = handle;
  }

 private:
  int handle_;
};

std::optional<struct stat> status_of(const fs::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return std::nullopt;
  return info;
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : ".";
}

// By hand, because the last link may lead to a file that is not there yet.
fs::path behind_links(const fs::path& path) {
  fs::path target = path;
  for (int i = 0; i < kMostLinks; ++i) {
    std::error_code no_link;
    const fs::path next = fs::read_symlink(target, no_link);
    if (no_link) return target;
    target = target.parent_path() / next;
  }
  fail_with(path, ELOOP);
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

/// What is to become a file, beside it. It is locked as long as it has a writer.
class Part {
 public:
  Part(const fs::path& target, mode_t mode) : target_(target) {
    for (int i = 0; i < kMostParts; ++i) {
      name_ = fmt::format("{}{}{}-{}{}", target.string(), kMark, ::getpid(), i, kEnd);
      handle_.reset(::open(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
      if (!handle_.is_open() && errno == EEXIST) continue;
      if (!handle_.is_open()) fail_with(target, errno);
      ::flock(handle_.get(), LOCK_EX);
      // Another run may have taken it for a lost one before it was locked.
      struct stat info {};
      if (::fstat(handle_.get(), &info) == 0 && info.st_nlink > 0) return;
    }
    fail_with(target, EEXIST);
  }
  ~Part() {
    if (!renamed_) ::unlink(name_.c_str());
  }
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;

  void take_over(const struct stat& before) {
    const int handle = handle_.get();
    // Not everybody may give files away; then the new one stays ours.
    [[maybe_unused]] const int refused = ::fchown(handle, before.st_uid, before.st_gid);
    if (::fchmod(handle, before.st_mode & 0777) != 0) fail_writing();
  }

  void write(std::string_view contents) {
    if (!write_all(handle_.get(), contents) || !sync(handle_.get())) fail_writing();
  }

  void replace_target() {
    if (::rename(name_.c_str(), target_.c_str()) != 0) fail_writing();
    renamed_ = true;
    // The new file is there; only a crash of the machine could still bring the old one back.
    const Descriptor folder(::open(folder_of(target_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (folder.is_open()) sync(folder.get());
  }

 private:
  [[noreturn]] void fail_writing() const {
    fail(Fault::bad_input, "{}: cannot be written: {}", target_.string(), std::strerror(errno));
  }

  fs::path target_;
  std::string name_;
  Descriptor handle_;
  bool renamed_ = false;
};

/// TARGET.sb3lm-PID-N.part
bool is_part_of(std::string_view name, std::string_view target) {
  if (!name.starts_with(target) || !name.ends_with(kEnd)) return false;
  name.remove_prefix(target.size());
  if (!name.starts_with(kMark) || name.size() <= kMark.size() + kEnd.size()) return false;
  name.remove_prefix(kMark.size());
  name.remove_suffix(kEnd.size());
  return name.find_first_not_of("0123456789-") == name.npos;
}

/// Removes a part of ours that nobody holds the lock of.
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

void remove_lost_parts(const fs::path& target) {
  const std::string name = target.filename().string();
  std::error_code failed;
  for (fs::directory_iterator it(folder_of(target), failed), end; !failed && it != end;
       it.increment(failed)) {
    if (is_part_of(it->path().filename().string(), name)) remove_if_lost(it->path());
  }
}

void write_into(const fs::path& path, std::string_view contents) {
  const Descriptor handle(::open(path.c_str(), O_WRONLY | O_NOCTTY | O_CLOEXEC));
  if (!handle.is_open() || !write_all(handle.get(), contents)) {
    fail(Fault::bad_input, "{}: cannot be written: {}", path.string(), std::strerror(errno));
  }
}

}  // namespace

void check_writable(const fs::path& path) {
  const std::optional<struct stat> there = status_of(path);
  if (there && S_ISDIR(there->st_mode)) fail_with(path, EISDIR);
  if (there && ::access(path.c_str(), W_OK) != 0) fail_with(path, errno);
  if (there && !S_ISREG(there->st_mode)) return;
  const fs::path folder = folder_of(behind_links(path));
  if (!status_of(folder)) {
    fail(Fault::bad_input, "{}: there is no folder {}", path.string(), folder.string());
  }
  if (::access(folder.c_str(), W_OK | X_OK) != 0) fail_with(path, errno);
}

void write_file(const fs::path& path, std::string_view contents) {
  check_writable(path);
  const std::optional<struct stat> before = status_of(path);
  if (before && !S_ISREG(before->st_mode)) return write_into(path, contents);
  const fs::path target = behind_links(path);
  remove_lost_parts(target);
  // Nobody who could not read the old file gets to read the new one.
  Part part(target, before ? 0600 : 0666);
  if (before) part.take_over(*before);
  part.write(contents);
  part.replace_target();
}

}  // namespace sb3lm
