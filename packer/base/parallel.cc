#include "base/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>

namespace sb3lm {

std::size_t thread_count(int asked) {
  return asked > 0 ? static_cast<std::size_t>(asked)
                   : std::max(1u, std::thread::hardware_concurrency());
}

std::vector<std::jthread> start_helpers(std::size_t count, const std::function<void()>& work) {
  std::vector<std::jthread> helpers;
  helpers.reserve(count);
  try {
    while (helpers.size() < count) helpers.emplace_back(work);
  } catch (const std::exception&) {  // out of threads or memory: those there do the work
  }
  return helpers;
}

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
  if (count == 0) return;
  {
    const auto helpers =
        start_helpers(std::min(thread_count(threads), count) - 1, [&run] { run(false); });
    run(true);
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace sb3lm
