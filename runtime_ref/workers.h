// A few threads that share the work of many short steps.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

namespace sb3lm {

class Workers {
 public:
  /// `threads` includes the caller; 0: one per processor.
  explicit Workers(int threads);
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  std::size_t count() const { return helpers_.size() + 1; }

  /// Calls work(0) to work(count() - 1), each on a thread of its own, and returns when all are
  /// done. `work` may not throw.
  void run(const std::function<void(std::size_t)>& work);

 private:
  void help(std::size_t index);

  const std::function<void(std::size_t)>* work_ = nullptr;
  std::atomic<std::uint32_t> round_ = 0;  // a new one starts work
  std::atomic<std::uint32_t> busy_ = 0;   // helpers still at it
  std::atomic<bool> stop_ = false;
  std::vector<std::thread> helpers_;
};

}  // namespace sb3lm
