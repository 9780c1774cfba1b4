// Nobody ever finds half a file: neither after a crash of this program, nor of the machine.
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "base/part_file.h"

namespace sb3lm {
namespace {

namespace fs = std::filesystem;

constexpr int kMostLinks = 40;  // as the system follows
constexpr std::string_view kMark = ".sb3lm-", kEnd = ".part";

[[noreturn]] void fail_with(const fs::path& path, const std::string& reason) {
  fail(Fault::bad_input, "{}: {}", path.string(), reason);
}

void check_permission(const fs::path& there, const fs::path& path) {
  if (const std::string reason = why_not_writable(there); !reason.empty()) fail_with(path, reason);
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
  fail_with(path, std::strerror(ELOOP));
}

bool is_part_of(std::string_view name, std::string_view target) {
  if (!name.starts_with(target) || !name.ends_with(kEnd)) return false;
  name.remove_prefix(target.size());
  if (!name.starts_with(kMark) || name.size() <= kMark.size() + kEnd.size()) return false;
  name.remove_prefix(kMark.size());
  name.remove_suffix(kEnd.size());
  return name.find_first_not_of("0123456789-") == name.npos;
}

void remove_lost_parts(const fs::path& target) {
  const std::string name = target.filename().string();
  std::error_code failed;
  for (fs::directory_iterator it(folder_of(target), failed), end; !failed && it != end;
       it.increment(failed)) {
    if (is_part_of(it->path().filename().string(), name)) remove_if_lost(it->path());
  }
}

/// What is behind a name; also of names that the system cannot look up.
fs::file_status status_of(const fs::path& path) {
  std::error_code none;
  return fs::status(path, none);
}

}  // namespace

fs::path part_name(const fs::path& target, long long process, int number) {
  fs::path name = target;
  return name += fmt::format("{}{}-{}{}", kMark, process, number, kEnd);
}

void check_writable(const fs::path& path) {
  const fs::file_status there = status_of(path);
  if (fs::is_directory(there)) fail_with(path, std::strerror(EISDIR));
  if (fs::exists(there)) check_permission(path, path);
  if (is_special_file(path)) return;
  const fs::path folder = folder_of(behind_links(path));
  if (!fs::exists(status_of(folder))) {
    fail(Fault::bad_input, "{}: there is no folder {}", path.string(), folder.string());
  }
  check_permission(folder, path);
}

void write_file(const fs::path& path, std::string_view contents) {
  check_writable(path);
  if (is_special_file(path)) return write_into(path, contents);
  const fs::path target = behind_links(path);
  remove_lost_parts(target);
  PartFile part(target);
  part.write(contents);
  part.replace_target();
}

}  // namespace sb3lm
