#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/error.h"

namespace sb3lm {

MappedFile::MappedFile(const std::filesystem::path& path) {
  const int handle = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (handle < 0) fail(Fault::bad_input, "{}: {}", path.string(), std::strerror(errno));
  struct stat info {};
  if (::fstat(handle, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(handle);
    fail(Fault::bad_input, "{}: not a regular file", path.string());
  }
  size_ = static_cast<std::size_t>(info.st_size);
  if (size_ != 0) {
    void* mapped = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, handle, 0);
    if (mapped == MAP_FAILED) {
      ::close(handle);
      fail(Fault::bad_input, "{}: cannot be mapped: {}", path.string(), std::strerror(errno));
    }
    data_ = static_cast<const std::uint8_t*>(mapped);
  }
  ::close(handle);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::uint8_t*>(data_), size_);
}

void write_file(const std::filesystem::path& path, std::string_view contents) {
  if (path == "-") {
    if (std::fwrite(contents.data(), 1, contents.size(), stdout) != contents.size() ||
        std::fflush(stdout) != 0) {
      fail(Fault::bad_input, "standard output: {}", std::strerror(errno));
    }
    return;
  }
  const std::filesystem::path beside =
      path.string() + fmt::format(".{}.part", static_cast<long>(::getpid()));
  std::FILE* out = std::fopen(beside.c_str(), "wb");
  if (out == nullptr) fail(Fault::bad_input, "{}: {}", path.string(), std::strerror(errno));
  const bool written = std::fwrite(contents.data(), 1, contents.size(), out) == contents.size();
  const bool closed = std::fclose(out) == 0;
  if (!written || !closed || std::rename(beside.c_str(), path.c_str()) != 0) {
    const std::string why = std::strerror(errno);
    std::remove(beside.c_str());
    fail(Fault::bad_input, "{}: cannot be written: {}", path.string(), why);
  }
}

}  // namespace sb3lm
