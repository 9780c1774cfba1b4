// What native_engine and llama_engine measure, in the same way for both.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <span>
#include <vector>

#include "base/memory.h"

namespace sb3lm::bench {

/// Tokens per second, by the clock and of processor time. On a machine that has other things to do
/// the second is the one that means something, as long as there is one thread.
struct Rate {
  double wall = 0, cpu = 0;
};

struct Timing {
  Rate prefill, decode;
  double first_logit = 0;  // so that no work can be left out
};

class Stopwatch {
 public:
  Rate rate(int tokens) const {
    const double wall = std::chrono::duration<double>(Clock::now() - start_).count();
    return {tokens / wall, tokens / (cpu_seconds() - cpu_)};
  }

 private:
  using Clock = std::chrono::steady_clock;
  static double cpu_seconds() {
    timespec now{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
  }
  Clock::time_point start_ = Clock::now();
  double cpu_ = cpu_seconds();
};

inline std::vector<int> prompt_of(int count) {
  std::vector<int> tokens{0};
  for (int i = 0; i + 1 < count; ++i) tokens.push_back(200 + 37 * i % 7900);
  return tokens;
}

/// Best of several rounds; a round is a prompt in one go, then single tokens after it.
template <class Engine>
Timing time_engine(Engine& engine, int prompt, int tokens) {
  constexpr int kRounds = 5;
  const auto take = [](Rate& best, const Rate& rate) {
    best = {std::max(best.wall, rate.wall), std::max(best.cpu, rate.cpu)};
  };
  const std::vector<int> all = prompt_of(prompt + tokens);
  const std::span<const int> ids(all);
  Timing best;
  for (int round = 0; round < kRounds; ++round) {
    engine.reset();
    const Stopwatch prefill;
    best.first_logit = engine.run(ids.first(static_cast<std::size_t>(prompt)));
    take(best.prefill, prefill.rate(prompt));
    const Stopwatch decode;
    for (int i = prompt; i < prompt + tokens; ++i) {
      best.first_logit = engine.run(ids.subspan(static_cast<std::size_t>(i), 1));
    }
    take(best.decode, decode.rate(tokens));
  }
  return best;
}

inline void print(const Timing& timing) {
  fmt::print(
      R"({{"prefill": {:.1f}, "decode": {:.1f}, "prefill_cpu": {:.1f}, "decode_cpu": {:.1f}, )"
      R"("first_logit": {}, "peak_bytes": {}}})"
      "\n",
      timing.prefill.wall, timing.decode.wall, timing.prefill.cpu, timing.decode.cpu,
      timing.first_logit, peak_resident_bytes());
}

}  // namespace sb3lm::bench
