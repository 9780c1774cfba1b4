// Numbers as JavaScript writes and reads them. The expected texts are what String() and Number()
// give in any browser.
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <string>

#include "base/number_text.h"
#include "synth/random.h"

using namespace sb3lm;

TEST_CASE("numbers to text") {
  const struct {
    double value;
    const char* text;
  } rows[] = {
      {0, "0"},
      {-0.0, "0"},
      {1, "1"},
      {-1.5, "-1.5"},
      {0.1, "0.1"},
      {1.0 / 3, "0.3333333333333333"},
      {0.1 + 0.2, "0.30000000000000004"},
      {100, "100"},
      {123456789, "123456789"},
      {1e20, "100000000000000000000"},
      {123456789012345680000.0, "123456789012345680000"},
      {1e21, "1e+21"},
      {-1.5e21, "-1.5e+21"},
      {1.7976931348623157e308, "1.7976931348623157e+308"},
      {0.000001, "0.000001"},
      {0.00000123, "0.00000123"},
      {0.0000001, "1e-7"},
      {-1.25e-7, "-1.25e-7"},
      {5e-324, "5e-324"},
      {2.2250738585072014e-308, "2.2250738585072014e-308"},
      {9007199254740993.0, "9007199254740992"},
      {4294967296.5, "4294967296.5"},
      {std::nan(""), "NaN"},
      {HUGE_VAL, "Infinity"},
      {-HUGE_VAL, "-Infinity"},
  };
  for (const auto& row : rows) CHECK(js_number_text(row.value) == row.text);
}

TEST_CASE("text to numbers") {
  const struct {
    const char* text;
    double value;
  } rows[] = {
      {"", 0},
      {"  \t\n ", 0},
      {"0", 0},
      {"42", 42},
      {" 42 ", 42},
      {"\xC2\xA0"
       "7\xE3\x80\x80",
       7},
      {"+5", 5},
      {"-5", -5},
      {".5", 0.5},
      {"5.", 5},
      {"-.25", -0.25},
      {"007", 7},
      {"1e3", 1000},
      {"1E+3", 1000},
      {"25e-2", 0.25},
      {"0x10", 16},
      {"0XfF", 255},
      {"0o17", 15},
      {"0b101", 5},
      {"Infinity", HUGE_VAL},
      {"+Infinity", HUGE_VAL},
      {"-Infinity", -HUGE_VAL},
      {"1e999", HUGE_VAL},
      {"-1e999", -HUGE_VAL},
      {"1e-999", 0},
      {"0.1", 0.1},
      {"1.7976931348623157e308", 1.7976931348623157e308},
      {"123456789012345678901234567890", 123456789012345678901234567890.0},
  };
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const std::optional<double> value = js_parse_number(row.text);
    REQUIRE(value);
    CHECK(*value == row.value);
  }
  CHECK(std::signbit(js_parse_number("-0").value_or(1)));
}

TEST_CASE("text that is no number") {
  for (const char* text :
       {"a",   "1a",  "1 2", "1,5",   "--1",   "+-1",   ".",    "-",       "+",        "e5",
        "1e",  "1e+", "0x",  "0xg",   "-0x10", "+0b1",  "0b2",  "0o8",     "infinity", "INFINITY",
        "inf", "NaN", "nan", "1_000", "0x1p3", "1.2.3", "true", "\xEF\xBB"}) {
    CAPTURE(text);
    CHECK(!js_parse_number(text));
  }
}

TEST_CASE("any finite double reads back to itself, from no more than 17 digits") {
  Random random(1);
  for (int i = 0; i < 200000; ++i) {
    const auto value = std::bit_cast<double>(random.bits());
    if (!std::isfinite(value)) continue;
    const std::string text = js_number_text(value);
    CAPTURE(text);
    const std::optional<double> back = js_parse_number(text);
    REQUIRE(back);
    REQUIRE(*back == value);
    REQUIRE(text.size() <= 25);
  }
}
