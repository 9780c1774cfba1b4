#include "runtime_ref/workers.h"

#include <doctest/doctest.h>

using namespace sb3lm;

TEST_CASE("every part of every round is done once before run returns") {
  for (const int threads : {1, 2, 3, 7}) {
    CAPTURE(threads);
    Workers workers(threads);
    REQUIRE(workers.count() == static_cast<std::size_t>(threads));
    std::vector<int> times(workers.count());
    constexpr int kRounds = 3000;
    for (int round = 0; round < kRounds; ++round) {
      workers.run([&](std::size_t part) { ++times[part]; });
      for (const int count : times) REQUIRE(count == round + 1);
    }
  }
}

TEST_CASE("workers that never work end") {
  const Workers workers(4);
  CHECK(workers.count() == 4);
}
