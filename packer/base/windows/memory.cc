#include "base/memory.h"

#include "handle.h"
// After it.
#include <psapi.h>

namespace sb3lm {

std::uint64_t peak_resident_bytes() {
  PROCESS_MEMORY_COUNTERS counters{};
  if (::K32GetProcessMemoryInfo(::GetCurrentProcess(), &counters, sizeof counters) == 0) return 0;
  return counters.PeakWorkingSetSize;
}

void release_memory() {
  // Windows takes pages back by itself when memory is short.
}

}  // namespace sb3lm
