#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace sb3lm {

MappedFile::MappedFile(const std::filesystem::path& path) {
  // Without waiting: nobody may ever write into a FIFO.
  const int handle = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
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

bool same_file(const std::filesystem::path& one, const std::filesystem::path& other) {
  std::error_code missing;
  return std::filesystem::is_regular_file(one, missing) &&
         std::filesystem::equivalent(one, other, missing);
}

}  // namespace sb3lm
