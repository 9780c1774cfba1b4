#include "runtime_ref/workers.h"

#include <algorithm>

namespace sb3lm {
namespace {

// Steps follow each other within microseconds, so whoever waits looks for a while before it sleeps.
constexpr int kLooks = 4000;

void pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

template <class Done>
bool looked(Done done) {
  for (int i = 0; i < kLooks; ++i) {
    if (done()) return true;
    pause();
  }
  return false;
}

}  // namespace

Workers::Workers(int threads) {
  const std::size_t wanted = threads > 0 ? static_cast<std::size_t>(threads)
                                         : std::max(1u, std::thread::hardware_concurrency());
  for (std::size_t i = 1; i < wanted; ++i) {
    helpers_.emplace_back([this, i] { help(i); });
  }
}

Workers::~Workers() {
  stop_ = true;
  ++round_;
  round_.notify_all();
  for (std::thread& helper : helpers_) helper.join();
}

void Workers::run(const std::function<void(std::size_t)>& work) {
  if (helpers_.empty()) {
    work(0);
    return;
  }
  work_ = &work;
  busy_ = static_cast<std::uint32_t>(helpers_.size());
  ++round_;
  round_.notify_all();
  work(0);
  if (looked([this] { return busy_ == 0; })) return;
  for (std::uint32_t busy = busy_; busy != 0; busy = busy_) busy_.wait(busy);
}

void Workers::help(std::size_t index) {
  std::uint32_t seen = 0;
  while (true) {
    if (!looked([&] { return round_ != seen; })) round_.wait(seen);
    seen = round_;
    if (stop_) return;
    (*work_)(index);
    if (--busy_ == 0) busy_.notify_all();
  }
}

}  // namespace sb3lm
