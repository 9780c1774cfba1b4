// The same work on many items, by several threads.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>
#include <thread>
#include <vector>

#include "base/progress.h"

namespace sb3lm {

/// `asked`, or one per processor for 0. Throws usage if several are asked for where there are no
/// threads (WebAssembly).
std::size_t thread_count(int asked);

/// Threads that work beside the one that has them.
class Helpers {
 public:
  Helpers() = default;
  /// Each calls work(), which must not throw: `count` of them, or as many as there is room for.
  Helpers(std::size_t count, const std::function<void()>& work) { start(count, work); }
  ~Helpers() { join(); }
  Helpers(const Helpers&) = delete;
  Helpers& operator=(const Helpers&) = delete;

  /// As the constructor does, where there are none yet.
  void start(std::size_t count, const std::function<void()>& work);
  /// Waits until all are done; then there are none.
  void join();
  std::size_t size() const { return threads_.size(); }

 private:
  std::vector<std::thread> threads_;
};

/// Calls work(i) for each i below `count`, on `threads` threads (0: one per processor), in any
/// order; items must not depend on each other. Rethrows what the first failing call threw.
void for_each_in_parallel(std::size_t count, int threads, std::string_view what, Progress& progress,
                          const std::function<void(std::size_t)>& work);

}  // namespace sb3lm
