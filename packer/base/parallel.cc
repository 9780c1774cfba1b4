#include "base/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace sb3lm {

void for_each_in_parallel(std::size_t count, int threads, std::string_view what, Progress& progress,
                          const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next = 0, done = 0;
  std::mutex failing;
  std::exception_ptr failure;
  const auto run = [&](bool shows) {
    for (std::size_t i = next++; i < count; i = next++) {
      try {
        work(i);
      } catch (...) {
        const std::lock_guard lock(failing);
        if (!failure) failure = std::current_exception();
        next = count;
      }
      ++done;
      if (!shows) continue;
      progress.report(what, static_cast<double>(done.load()) / static_cast<double>(count));
    }
  };
  const std::size_t wanted = threads > 0 ? static_cast<std::size_t>(threads)
                                         : std::max(1u, std::thread::hardware_concurrency());
  {
    std::vector<std::jthread> helpers;
    for (std::size_t i = 1; i < std::min(wanted, count); ++i) {
      helpers.emplace_back([&run] { run(false); });
    }
    run(true);
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace sb3lm
