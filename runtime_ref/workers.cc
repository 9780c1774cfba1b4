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

constexpr int kRoundShift = 32;

}  // namespace

Workers::Workers(int threads) {
  const std::size_t wanted = thread_count(threads);
  next_ = wanted;  // no part is left in round 0
  helpers_.start(wanted - 1, [this] { help(); });
}

Workers::~Workers() {
  stop_ = true;
  next_ = ((next_ >> kRoundShift) + 1) << kRoundShift | count();
  next_.notify_all();
  helpers_.join();
}

void Workers::run(const std::function<void(std::size_t)>& work) {
  if (helpers_.size() == 0) {
    work(0);
    return;
  }
  work_ = &work;
  done_ = 0;
  next_ = ((next_ >> kRoundShift) + 1) << kRoundShift;
  next_.notify_all();
  take_parts();
  const auto all_done = [this] { return done_ == count(); };
  if (looked(all_done)) return;
  for (std::uint32_t done = done_; done != count(); done = done_) done_.wait(done);
}

void Workers::take_parts() {
  constexpr std::uint64_t kPart = (std::uint64_t{1} << kRoundShift) - 1;
  for (std::uint64_t part = next_++ & kPart; part < count(); part = next_++ & kPart) {
    (*work_)(part);
    if (++done_ == count()) done_.notify_all();
  }
}

void Workers::help() {
  std::uint64_t seen = 0;  // round
  while (!stop_) {
    const auto is_new = [&] { return next_ >> kRoundShift != seen; };
    if (!looked(is_new)) {
      for (std::uint64_t next = next_; next >> kRoundShift == seen; next = next_) next_.wait(next);
    }
    seen = next_ >> kRoundShift;
    take_parts();
  }
}

}  // namespace sb3lm
