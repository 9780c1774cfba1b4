// Casts and texts; the virtual machines' own answers are in tests/diff/vm_conformance_test.cc.
#include "runtime_ref/scratch_math.h"

#include <doctest/doctest.h>

#include <cmath>

#include "base/error.h"

using namespace sb3lm;

namespace {

Value value(const char* text) {
  return Value(Text(std::string(text)));
}
std::string lower(const char* text) {
  return lower_case(Text(std::string(text)));
}
const Text kEmoji(std::string("a\xF0\x9F\x98\x80z"));

}  // namespace

TEST_CASE("texts count and cut UTF-16 code units") {
  CHECK(kEmoji.length() == 4);
  CHECK(letter_of(1, kEmoji).str() == "a");
  CHECK(letter_of(2, kEmoji).str() == "\xED\xA0\xBD");
  CHECK(letter_of(3.9, kEmoji).str() == "\xED\xB8\x80");
  CHECK(letter_of(4, kEmoji).str() == "z");
  CHECK(letter_of(0, kEmoji).str() == "");
  CHECK(letter_of(5, kEmoji).str() == "");
  CHECK(join(letter_of(2, kEmoji), letter_of(3, kEmoji)).str() == "\xF0\x9F\x98\x80");
  CHECK(join(letter_of(3, kEmoji), letter_of(2, kEmoji)).str() == "\xED\xB8\x80\xED\xA0\xBD");
}

TEST_CASE("lower case") {
  CHECK(lower("ABC xyz 1") == "abc xyz 1");
  CHECK(lower("\xC3\x89\xC3\x97") == "\xC3\xA9\xC3\x97");  // E acute, the times sign
  CHECK(lower("\xC5\xB8\xC4\x80\xC4\xB9") == "\xC3\xBF\xC4\x81\xC4\xBA");
  CHECK(lower("\xCE\x91\xCE\xA9\xCE\x86") == "\xCE\xB1\xCF\x89\xCE\xAC");
  CHECK(lower("\xD0\x94\xD0\x81") == "\xD0\xB4\xD1\x91");
  CHECK(lower("\xF0\x9F\x98\x80") == "\xF0\x9F\x98\x80");
}

TEST_CASE("numbers from texts") {
  CHECK(to_number(value("0x1F")) == 31);
  CHECK(to_number(value(" 1e3 ")) == 1000);
  CHECK(to_number(value("123456789012345")) == 123456789012345);
  CHECK(to_number(value("12 3")) == 0);
  CHECK(to_number(value("-Infinity")) == -HUGE_VAL);
  CHECK(std::signbit(to_number(value("-0"))));
  CHECK(to_number(Value(true)) == 1);
  CHECK(to_number(Value(std::nan(""))) == 0);
}

TEST_CASE("comparison") {
  CHECK(equal(value("Apple"), value("aPPLE")));
  CHECK(equal(value("1.0"), Value(1.0)));
  CHECK_FALSE(equal(value(""), Value(0.0)));
  CHECK_FALSE(equal(value(" "), value("")));
  CHECK(compare(value("10"), value("9")) > 0);
  CHECK(compare(value("10a"), value("9a")) < 0);
  CHECK(compare(value("Infinity"), Value(HUGE_VAL)) == 0);
  CHECK(compare(Value(-0.0), Value(0.0)) == 0);
}

TEST_CASE("list indexes") {
  CHECK(to_index(Value(1.9), 3) == 1);
  CHECK(to_index(Value(0.9), 3) == 0);
  CHECK(to_index(Value(3.999), 3) == 3);
  CHECK(to_index(Value(4.0), 3) == 0);
  CHECK(to_index(value("last"), 3) == 3);
  CHECK(to_index(value("last"), 0) == 0);
  CHECK(to_index(value("2"), 3) == 2);
  CHECK(to_index(Value(HUGE_VAL), 3) == 0);
  CHECK_THROWS_AS(to_index(value("random"), 3), Error);
}

TEST_CASE("rounding and remainders") {
  CHECK(round_half_up(2.5) == 3);
  CHECK(round_half_up(-2.5) == -2);
  CHECK(round_half_up(0.49999999999999994) == 0);
  CHECK(std::signbit(round_half_up(-0.5)));
  CHECK(std::signbit(round_half_up(-0.2)));
  CHECK(round_half_up(9007199254740991.0) == 9007199254740991.0);
  CHECK(floored_mod(-7, 3) == 2);
  CHECK(floored_mod(7, -3) == -2);
  CHECK(std::isnan(floored_mod(1, 0)));
}
