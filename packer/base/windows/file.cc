#include "base/file.h"

#include <limits>

#include "base/error.h"
#include "base/temporary_file.h"
#include "handle.h"
#include "last_error.h"

namespace sb3lm {

MappedFile::MappedFile(const std::filesystem::path& path) {
  std::error_code ignored;
  // Windows would say that access is denied.
  if (std::filesystem::is_directory(path, ignored)) {
    fail(Fault::bad_input, "{}: not a regular file", path.string());
  }
  const Handle file(::CreateFileW(path.c_str(), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE,
                                  nullptr, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr));
  if (!file.is_open()) fail(Fault::bad_input, "{}: {}", path.string(), last_error_text());
  LARGE_INTEGER size{};
  if (::GetFileType(file.get()) != FILE_TYPE_DISK || ::GetFileSizeEx(file.get(), &size) == 0) {
    fail(Fault::bad_input, "{}: not a regular file", path.string());
  }
  size_ = static_cast<std::size_t>(size.QuadPart);
  if (size_ == 0) return;
  // The view lives on when its handles are closed.
  const Handle mapping(::CreateFileMappingW(file.get(), nullptr, PAGE_READONLY, 0, 0, nullptr));
  if (mapping.is_open()) {
    data_ = static_cast<const std::uint8_t*>(
        ::MapViewOfFile(mapping.get(), FILE_MAP_READ, 0, 0, size_));
  }
  if (data_ == nullptr) {
    fail(Fault::bad_input, "{}: cannot be mapped: {}", path.string(), last_error_text());
  }
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::UnmapViewOfFile(data_);
}

std::filesystem::path make_temporary_file() {
  const std::filesystem::path folder = std::filesystem::temp_directory_path();
  wchar_t name[MAX_PATH + 1];
  if (::GetTempFileNameW(folder.c_str(), L"sb3", 0, name) == 0) {
    fail(Fault::bad_input, "{}: {}", folder.string(), last_error_text());
  }
  return name;
}

}  // namespace sb3lm
