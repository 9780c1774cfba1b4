#include "base/memory.h"

#include <sys/mman.h>

#include <cstdio>
#include <cstring>
#include <memory>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#ifdef __EMSCRIPTEN__
#include <emscripten/heap.h>
#endif

namespace sb3lm {
namespace {

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;

/// One mapping of /proc/self/smaps: a line with its range, then lines about it.
struct Mapping {
  std::uintptr_t first = 0, last = 0;
  bool from_file = false;
};

bool read_range(const char* line, Mapping& mapping) {
  unsigned long first = 0, last = 0, inode = 0;
  if (std::sscanf(line, "%lx-%lx %*s %*s %*s %lu", &first, &last, &inode) != 3) return false;
  mapping = {first, last, inode != 0};
  return true;
}

}  // namespace

std::uint64_t peak_resident_bytes() {
#ifdef __EMSCRIPTEN__
  return emscripten_get_heap_size();  // it only grows
#endif
  // getrusage would count what the process was before it became this program.
  const File in(std::fopen("/proc/self/status", "r"));
  unsigned long long kilobytes = 0;
  char line[256];
  while (in && std::fgets(line, sizeof(line), in.get()) != nullptr) {
    if (std::sscanf(line, "VmHWM: %llu", &kilobytes) == 1) break;
  }
  return kilobytes * 1024;
}

void release_memory() {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
  const File in(std::fopen("/proc/self/smaps", "r"));
  Mapping mapping;
  char line[512];
  while (in && std::fgets(line, sizeof(line), in.get()) != nullptr) {
    unsigned long anonymous = 0;
    if (read_range(line, mapping)) continue;
    if (std::sscanf(line, "Anonymous: %lu", &anonymous) != 1) continue;
    // Where a page has been written to, the file no longer has it.
    if (!mapping.from_file || anonymous != 0) continue;
    ::madvise(reinterpret_cast<void*>(mapping.first), mapping.last - mapping.first, MADV_DONTNEED);
  }
}

}  // namespace sb3lm
