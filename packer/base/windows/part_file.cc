// A part is opened such that nobody else can open it: that is its lock. It is renamed and removed
// by its handle, so there is no moment without one.
#include "base/part_file.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "handle.h"
#include "last_error.h"

namespace sb3lm {
namespace {

namespace fs = std::filesystem;

HANDLE as_handle(std::intptr_t handle) {
  return reinterpret_cast<HANDLE>(handle);
}

[[noreturn]] void fail_writing(const fs::path& target) {
  fail(Fault::bad_input, "{}: cannot be written: {}", target.string(), last_error_text());
}

bool write_all(HANDLE handle, std::string_view contents) {
  constexpr std::size_t kMost = 1 << 30;  // of one call
  while (!contents.empty()) {
    DWORD size = 0;
    const DWORD part = static_cast<DWORD>(std::min(contents.size(), kMost));
    if (::WriteFile(handle, contents.data(), part, &size, nullptr) == 0) return false;
    contents.remove_prefix(size);
  }
  return true;
}

}  // namespace

PartFile::PartFile(const fs::path& target) : target_(target) {
  for (int i = 0; i < kMostParts && handle_ == kNone; ++i) {
    name_ = part_name(target, ::GetCurrentProcessId(), i);
    handle_ = reinterpret_cast<std::intptr_t>(::CreateFileW(name_.c_str(), GENERIC_WRITE,
                                                            FILE_SHARE_DELETE, nullptr, CREATE_NEW,
                                                            FILE_ATTRIBUTE_NORMAL, nullptr));
    if (handle_ == kNone && ::GetLastError() != ERROR_FILE_EXISTS) break;
  }
  if (handle_ == kNone) fail(Fault::bad_input, "{}: {}", target.string(), last_error_text());
}

PartFile::~PartFile() {
  if (!renamed_) ::DeleteFileW(name_.c_str());
  ::CloseHandle(as_handle(handle_));
}

void PartFile::write(std::string_view contents) {
  const HANDLE handle = as_handle(handle_);
  if (!write_all(handle, contents) || ::FlushFileBuffers(handle) == 0) fail_writing(target_);
}

void PartFile::replace_target() {
  constexpr DWORD kHow = MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH;
  if (::MoveFileExW(name_.c_str(), target_.c_str(), kHow) == 0) fail_writing(target_);
  renamed_ = true;
}

void remove_if_lost(const fs::path& part) {
  // Fails while another run has it. Closing removes it.
  const Handle handle(::CreateFileW(part.c_str(), DELETE, 0, nullptr, OPEN_EXISTING,
                                    FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_DELETE_ON_CLOSE,
                                    nullptr));
}

std::string why_not_writable(const fs::path& path) {
  const DWORD attributes = ::GetFileAttributesW(path.c_str());
  if (attributes == INVALID_FILE_ATTRIBUTES) return last_error_text();
  // Of a folder the attribute says nothing about what is in it.
  const bool is_folder = (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
  if (is_folder || (attributes & FILE_ATTRIBUTE_READONLY) == 0) return "";
  return std::strerror(EACCES);
}

bool is_special_file(const fs::path& path) {
  const Handle handle(::CreateFileW(path.c_str(), 0, FILE_SHARE_READ | FILE_SHARE_WRITE, nullptr,
                                    OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr));
  return handle.is_open() && ::GetFileType(handle.get()) != FILE_TYPE_DISK;
}

void write_into(const fs::path& path, std::string_view contents) {
  const Handle handle(::CreateFileW(path.c_str(), GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                                    nullptr, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr));
  if (!handle.is_open() || !write_all(handle.get(), contents)) fail_writing(path);
}

}  // namespace sb3lm
