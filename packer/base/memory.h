// The memory of this process as the system sees it.
#pragma once

#include <cstdint>

namespace sb3lm {

/// The most that has been resident so far, mapped pages included; in WebAssembly the size
/// of the heap, which only grows. 0 where the system does not tell.
std::uint64_t peak_resident_bytes();

/// Gives back what a finished stage does not need any more: freed heap, and all pages that are
/// still as they are in their files (code and libraries, mapped checkpoints). Those come back by
/// themselves when they are next used. Does nothing where the system has no way to.
void release_memory();

}  // namespace sb3lm
