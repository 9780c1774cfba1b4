// A few threads that share the work of many short steps.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "base/parallel.h"

namespace sb3lm {

class Workers {
 public:
  /// `threads` includes the caller; 0: one per processor.
  explicit Workers(int threads);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  std::size_t count() const { return helpers_.size() + 1; }

  /// Calls work(0) to work(count() - 1), each once, on whichever threads are free, and returns when
  /// all are done. Nobody waits for a thread that has not begun: on a busy machine the caller does
  /// the work itself. `work` may not throw.
  void run(const std::function<void(std::size_t)>& work);

 private:
  void help();
  void take_parts();

  const std::function<void(std::size_t)>* work_ = nullptr;
  // The number of the round in the upper half, the next part of its work in the lower one. Whoever
  // gets a part from it may use work_, which stays until all parts are done.
  std::atomic<std::uint64_t> next_;
  std::atomic<std::uint32_t> done_ = 0;  // parts of this round
  std::atomic<bool> stop_ = false;
  Helpers helpers_;
};

}  // namespace sb3lm
