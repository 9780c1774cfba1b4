// Names as patterns and steps.
#include "model/name_list.h"

#include <doctest/doctest.h>

#include "base/error.h"

using namespace sb3lm;

namespace {

using Names = std::vector<std::string>;

constexpr std::size_t kPlenty = 1 << 20;

std::string refusal(const NameList& list, std::size_t max_bytes = kPlenty) {
  try {
    read_name_list(list, max_bytes);
  } catch (const Error& error) {
    return error.fault == Fault::bad_input ? error.what() : "another fault";
  }
  return "nothing was thrown";
}

}  // namespace

TEST_CASE("numbers are taken out, other digits stay") {
  const auto pattern = [](const char* name) { return split_name(name).pattern; };
  CHECK(pattern("layers.12.experts.0.up") == "layers.#.experts.#.up");
  CHECK(split_name("layers.12.experts.0.up").numbers == std::vector<std::int64_t>{12, 0});
  CHECK(pattern("w007") == "w007");
  CHECK(pattern("1234567890") == "1234567890");
  CHECK(pattern("999999999") == "#");
  CHECK(pattern("") == "");
  CHECK(split_name("a#1").numbers == std::vector<std::int64_t>{-1, 1});
}

TEST_CASE("names come back, alike layers take alike steps") {
  const Names names = {"norm",         "layers.3.a",
                       "layers.3.b.0", "layers.3.b.1",
                       "layers.4.a",   "layers.4.b.0",
                       "layers.4.b.1", "#",
                       "a#01#2",       "",
                       "layers.5.a",   "layers.5.b.0",
                       "layers.5.b.1"};
  const NameList list = make_name_list(names);
  CHECK(read_name_list(list, kPlenty) == names);
  CHECK(list.patterns == Names{"norm", "layers.#.a", "layers.#.b.#", "#", "a#01##", ""});
  const auto steps = [&](std::size_t from) {
    return std::vector<std::int64_t>(list.steps.begin() + static_cast<std::ptrdiff_t>(from),
                                     list.steps.begin() + static_cast<std::ptrdiff_t>(from) + 8);
  };
  CHECK(steps(9) == std::vector<std::int64_t>{1, 1, 2, 1, -1, 2, 0, 1});
  CHECK(steps(list.steps.size() - 8) == steps(9));
}

TEST_CASE("broken lists are refused") {
  CHECK(refusal({{"a"}, {1}}) == "names: there is no pattern 1");
  CHECK(refusal({{"a"}, {-1}}) == "names: there is no pattern -1");
  CHECK(refusal({{"a#"}, {0}}) == "names: a number is missing");
  CHECK(refusal({{"a#"}, {0, -2}}) == "names: number -2");
  CHECK(refusal({{"a#"}, {0, 999999999, 0, 1}}) == "names: number 1000000000");
  CHECK(refusal({{"a#"}, {0, std::int64_t{1} << 62}}).starts_with("names: a step of"));
  CHECK(refusal({{"abc"}, {0, 0, 0}}, 50) == "names: more than 50 bytes");
}
