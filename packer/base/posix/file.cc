#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "base/error.h"
#include "base/temporary_file.h"

namespace sb3lm {
namespace {

// Nothing, with errno, if it cannot be done.
#ifdef __EMSCRIPTEN__
// WebAssembly has no mapped files. What stands for them copies too, and only what is in memory.
void* map_file(int handle, std::size_t size) {
  char* bytes = static_cast<char*>(std::malloc(size));
  for (std::size_t at = 0; bytes != nullptr && at < size;) {
    const ssize_t count = ::read(handle, bytes + at, size - at);
    if (count > 0) {
      at += static_cast<std::size_t>(count);
      continue;
    }
    if (count == 0) errno = EIO;  // it became shorter
    std::free(bytes);
    return nullptr;
  }
  return bytes;
}

void unmap_file(void* bytes, std::size_t) {
  std::free(bytes);
}
#else
void* map_file(int handle, std::size_t size) {
  void* mapped = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, handle, 0);
  return mapped == MAP_FAILED ? nullptr : mapped;
}

void unmap_file(void* bytes, std::size_t size) {
  ::munmap(bytes, size);
}
#endif

}  // namespace

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
    data_ = static_cast<const std::uint8_t*>(map_file(handle, size_));
    const int reason = errno;
    if (data_ == nullptr) {
      ::close(handle);
      fail(Fault::bad_input, "{}: cannot be mapped: {}", path.string(), std::strerror(reason));
    }
  }
  ::close(handle);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) unmap_file(const_cast<std::uint8_t*>(data_), size_);
}

std::filesystem::path make_temporary_file() {
  std::string name = (std::filesystem::temp_directory_path() / "sb3lm-XXXXXX").string();
  const int handle = ::mkstemp(name.data());
  if (handle < 0) fail(Fault::bad_input, "{}: {}", name, std::strerror(errno));
  ::close(handle);
  return name;
}

}  // namespace sb3lm
