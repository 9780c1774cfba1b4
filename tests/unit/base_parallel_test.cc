#include <doctest/doctest.h>

#include <atomic>
#include <stdexcept>

#include "base/parallel.h"

using namespace sb3lm;

TEST_CASE("helpers work beside the caller and are joined") {
  std::atomic<int> calls = 0;
  {
    Helpers helpers(3, [&] { ++calls; });
    CHECK(helpers.size() <= 3);
    const int started = static_cast<int>(helpers.size());
    helpers.join();
    CHECK(helpers.size() == 0);
    CHECK(calls == started);
    helpers.start(2, [&] { calls += 100; });
  }
  CHECK(calls >= 200);
}

TEST_CASE("a loop in parallel visits each item once and passes on the first failure") {
  SilentProgress silent;
  std::vector<std::atomic<int>> visits(1000);
  for_each_in_parallel(visits.size(), 4, "", silent, [&](std::size_t i) { ++visits[i]; });
  for (const auto& count : visits) CHECK(count == 1);
  const auto fails = [](std::size_t i) {
    if (i == 7) throw std::runtime_error("seven");
  };
  CHECK_THROWS_WITH(for_each_in_parallel(100, 4, "", silent, fails), "seven");
}

TEST_CASE("thread_count is what was asked for, or the processors") {
  CHECK(thread_count(5) == 5);
  CHECK(thread_count(0) >= 1);
}
