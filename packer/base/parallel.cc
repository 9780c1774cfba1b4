#include "base/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>

#include "base/error.h"

namespace sb3lm {

namespace {
// A page has threads only if its server sends certain headers, and a file has no server.
#if defined(__EMSCRIPTEN__) && !defined(__EMSCRIPTEN_PTHREADS__)
constexpr bool kHasThreads = false;
#else
constexpr bool kHasThreads = true;
#endif
}  // namespace

std::size_t thread_count(int asked) {
  if (!kHasThreads && asked > 1) {
    fail(Fault::usage, "threads: {} are asked for, and WebAssembly has only one: say 1 or nothing",
         asked);
  }
  if (!kHasThreads) return 1;
  return asked > 0 ? static_cast<std::size_t>(asked)
                   : std::max(1u, std::thread::hardware_concurrency());
}

void Helpers::start(std::size_t count, const std::function<void()>& work) {
  if (!kHasThreads) return;
  threads_.reserve(count);
  try {
    while (threads_.size() < count) threads_.emplace_back(work);
  } catch (const std::exception&) {  // out of threads or memory: those there do the work
  }
}

void Helpers::join() {
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
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
    const Helpers helpers(std::min(thread_count(threads), count) - 1, [&run] { run(false); });
    run(true);
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace sb3lm
