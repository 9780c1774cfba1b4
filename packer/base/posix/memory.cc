#include "base/memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <vector>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#ifdef __EMSCRIPTEN__
#include <emscripten/heap.h>
#endif

namespace sb3lm {
namespace {

/// A file of /proc; empty if there is none. Without the library's streams: their code would count
/// in what is measured here.
std::string read_whole(const char* path) {
  std::string text;
  const int handle = ::open(path, O_RDONLY | O_CLOEXEC);
  if (handle < 0) return text;
  constexpr std::size_t kPart = 4096;
  std::size_t size = 0;
  ssize_t count = 0;
  do {
    text.resize(size + kPart);
    count = ::read(handle, text.data() + size, kPart);
    if (count > 0) size += static_cast<std::size_t>(count);
  } while (count > 0);
  ::close(handle);
  text.resize(size);
  return text;
}

/// Takes a number from the front of a text, and blanks before it.
bool take_number(std::string_view& text, int base, std::uintptr_t& number) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return error == std::errc();
}

bool take_word(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

/// Pages of a mapping.
struct Range {
  std::uintptr_t first = 0, last = 0;
};

/// What is mapped from files and nowhere written to: where it has been, the file no longer has it.
std::vector<Range> unchanged_mappings(std::string_view smaps) {
  std::vector<Range> unchanged;
  Range range;
  bool from_file = false;
  // A line with a mapping's range, then lines about it.
  while (!smaps.empty()) {
    std::string_view line = smaps.substr(0, smaps.find('\n'));
    smaps.remove_prefix(std::min(line.size() + 1, smaps.size()));
    std::uintptr_t first = 0, last = 0, anonymous = 0;
    if (take_word(line, "Anonymous:")) {
      if (from_file && take_number(line, 10, anonymous) && anonymous == 0) {
        unchanged.push_back(range);
      }
    } else if (take_number(line, 16, first) && take_word(line, "-") &&
               take_number(line, 16, last)) {
      range = {first, last};
      from_file = line.find('/') != line.npos;
    }
  }
  return unchanged;
}

}  // namespace

std::uint64_t peak_resident_bytes() {
#ifdef __EMSCRIPTEN__
  return emscripten_get_heap_size();  // it only grows
#endif
  // getrusage would count what the process was before it became this program.
  const std::string status = read_whole("/proc/self/status");
  constexpr std::string_view kPeak = "VmHWM:";
  std::string_view rest = status;
  rest.remove_prefix(std::min(rest.find(kPeak), rest.size()));
  std::uintptr_t kilobytes = 0;
  if (take_word(rest, kPeak)) take_number(rest, 10, kilobytes);
  return std::uint64_t{kilobytes} * 1024;
}

void release_memory() {
#ifdef __GLIBC__
  ::malloc_trim(0);
#endif
  // Only when all is read: what reads needs pages as well.
  for (const Range& range : unchanged_mappings(read_whole("/proc/self/smaps"))) {
    ::madvise(reinterpret_cast<void*>(range.first), range.last - range.first, MADV_DONTNEED);
  }
}

}  // namespace sb3lm
