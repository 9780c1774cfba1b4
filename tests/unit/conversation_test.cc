#include "runtime_ref/conversation.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

using namespace sb3lm;
using Tokens = std::vector<int>;
using Sizes = std::vector<std::size_t>;

TEST_CASE("the oldest turns go until a quarter of the context is free") {
  CHECK(first_kept_turn(Sizes{4, 4, 4}, 0, 16) == 0);
  CHECK(first_kept_turn(Sizes{5, 4, 4}, 0, 16) == 1);
  CHECK(first_kept_turn(Sizes{5, 8, 4}, 0, 16) == 1);
  CHECK(first_kept_turn(Sizes{5, 8, 4}, 1, 16) == 2);   // the start token counts
  CHECK(first_kept_turn(Sizes{5, 9, 14}, 0, 16) == 2);  // the newest stays, whatever its size
  CHECK(first_kept_turn(Sizes{15}, 0, 16) == 0);
  CHECK(first_kept_turn(Sizes{6, 6}, 0, 15) == 1);  // a quarter of 15 is 4
}

TEST_CASE("for all small conversations the longest fitting end is kept") {
  for (std::size_t context = 4; context <= 12; ++context) {
    for (std::size_t head = 0; head <= 1; ++head) {
      for (std::size_t a = 1; a <= 6; ++a) {
        for (std::size_t b = 1; b <= 6; ++b) {
          for (std::size_t c = 1; c <= 6; ++c) {
            const Sizes sizes{a, b, c};
            const std::size_t kept = first_kept_turn(sizes, head, context);
            const auto fits = [&](std::size_t first) {
              const std::size_t sum =
                  std::accumulate(sizes.begin() + static_cast<std::ptrdiff_t>(first), sizes.end(),
                                  first > 0 ? head : std::size_t{0});
              return 4 * (context - std::min(context, sum)) >= context;
            };
            CHECK((fits(kept) || kept == 2));
            if (kept > 0) CHECK(!fits(kept - 1));
          }
        }
      }
    }
  }
}

TEST_CASE("a conversation is its turns, and after a shift the head and the later turns") {
  Conversation chat({1}, 16);
  CHECK(chat.empty());
  CHECK(chat.shift() == 0);
  chat.start_turn(Tokens{1, 20, 21});
  chat.add(22);
  chat.add(23);
  chat.start_turn(Tokens{30, 31, 32, 33});
  chat.start_turn(Tokens{40, 41, 42});
  chat.add(43);
  CHECK(chat.tokens() == Tokens{1, 20, 21, 22, 23, 30, 31, 32, 33, 40, 41, 42, 43});
  CHECK(chat.size() == 13);
  CHECK(chat.shift() == 1);
  CHECK(chat.tokens() == Tokens{1, 30, 31, 32, 33, 40, 41, 42, 43});
  CHECK(chat.size() == 9);
  CHECK(chat.shift() == 0);
  for (int i = 0; i < 4; ++i) chat.add(50 + i);
  CHECK(chat.shift() == 1);
  CHECK(chat.tokens() == Tokens{1, 40, 41, 42, 43, 50, 51, 52, 53});
  chat.clear();
  chat.start_turn(Tokens{7});
  CHECK(chat.tokens() == Tokens{7});
}

TEST_CASE("a newest turn that is too long on its own is all that stays") {
  Conversation chat({1}, 8);
  chat.start_turn(Tokens{1, 2});
  chat.start_turn(Tokens{3});
  chat.start_turn(Tokens{4, 5, 6, 7, 8, 9});
  CHECK(chat.shift() == 2);
  CHECK(chat.tokens() == Tokens{1, 4, 5, 6, 7, 8, 9});
  CHECK(chat.shift() == 0);
}
