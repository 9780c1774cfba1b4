// The same work on many items, by several threads.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>
#include <thread>
#include <vector>

#include "base/progress.h"

namespace sb3lm {

/// `asked`, or one per processor for 0.
std::size_t thread_count(int asked);

/// Threads that each call work(), which must not throw: `count` of them, or as many as there is
/// room for.
std::vector<std::jthread> start_helpers(std::size_t count, const std::function<void()>& work);

/// Calls work(i) for each i below `count`, on `threads` threads (0: one per processor), in any
/// order; items must not depend on each other. Rethrows what the first failing call threw.
void for_each_in_parallel(std::size_t count, int threads, std::string_view what, Progress& progress,
                          const std::function<void(std::size_t)>& work);

}  // namespace sb3lm
