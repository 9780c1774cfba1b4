// JSON of others: values of exactly the kind that is asked for, complaints that name the field.
#include "model/json_value.h"

#include <doctest/doctest.h>

#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/error.h"

namespace {

using namespace sb3lm;

template <class T>
std::optional<T> read(const char* text) {
  return json_as<T>(parse_json("f.json", text));
}

TEST_CASE("a value is taken only where nothing of it is lost") {
  CHECK(read<int>("7") == 7);
  CHECK(read<int>("-7") == -7);
  CHECK(read<int>("2147483647") == std::numeric_limits<int>::max());
  for (const char* other : {"2147483648", "-2147483649", "7.0", "7.5", "1e2", "true", "\"7\"",
                            "null", "[7]", "{}", "18446744073709551615"}) {
    CAPTURE(other);
    CHECK_FALSE(read<int>(other));
  }
  CHECK(read<std::uint64_t>("18446744073709551615") == std::numeric_limits<std::uint64_t>::max());
  CHECK_FALSE(read<std::uint64_t>("-1"));
  CHECK(read<std::int64_t>("-9223372036854775808") == std::numeric_limits<std::int64_t>::min());
  CHECK_FALSE(read<std::int64_t>("9223372036854775808"));
  CHECK(read<double>("7") == 7.0);
  CHECK(read<double>("0.5") == 0.5);
  CHECK_FALSE(read<double>("\"0.5\""));
  CHECK(read<bool>("true") == true);
  CHECK_FALSE(read<bool>("1"));
  CHECK(read<std::string>("\"a\"") == "a");
  CHECK_FALSE(read<std::string>("1"));
  // What the program made itself has signed numbers.
  CHECK(json_as<std::uint64_t>(nlohmann::json(3)) == 3u);
}

TEST_CASE("lists and maps are taken whole or not at all") {
  CHECK(read<std::vector<int>>("[1,2]") == std::vector{1, 2});
  CHECK(read<std::vector<int>>("[]") == std::vector<int>());
  CHECK_FALSE(read<std::vector<int>>("[1,2.5]"));
  CHECK_FALSE(read<std::vector<int>>("{}"));
  CHECK(read<std::vector<std::string>>("[\"a\"]") == std::vector<std::string>{"a"});
  using Map = std::map<std::string, std::string>;
  CHECK(read<Map>(R"({"a":"b"})") == Map{{"a", "b"}});
  CHECK_FALSE(read<Map>(R"({"a":1})"));
  CHECK_FALSE(read<Map>("[]"));
}

TEST_CASE("complaints name the file, the place and the field") {
  const nlohmann::json json =
      parse_json("f.json", R"({"n":1.5,"none":null,"in":{"list":[1,"2"]},"list":{}})");
  const JsonFields fields(json, "f.json");
  CHECK(fields.get("gone", 3) == 3);
  CHECK(fields.get("none", 3) == 3);
  CHECK(fields.get<double>("n") == 1.5);
  CHECK(fields.has("n"));
  CHECK_FALSE(fields.has("none"));
  CHECK_FALSE(fields.has("gone"));
  CHECK_THROWS_WITH_AS(fields.get<int>("n"), "f.json: 'n': 1.5 is not a whole number in range",
                       Error);
  CHECK_THROWS_WITH_AS(fields.get("n", 3), "f.json: 'n': 1.5 is not a whole number in range",
                       Error);
  CHECK_THROWS_WITH_AS(fields.get<int>("gone"), "f.json: 'gone' is missing", Error);
  CHECK_THROWS_WITH_AS(fields.get<int>("none"),
                       "f.json: 'none': null is not a whole number in range", Error);
  CHECK_THROWS_WITH_AS(fields.list("list"), "f.json: 'list': {} is not a list", Error);
  CHECK_THROWS_WITH_AS(fields.fields("n"), "f.json: 'n': not a JSON object", Error);
  CHECK_THROWS_WITH_AS(fields.fields("in").get<std::vector<int>>("list"),
                       "f.json: 'in': 'list': [1,\"2\"] is not a list of whole numbers", Error);
}

TEST_CASE("nesting and names that come twice are refused") {
  CHECK_THROWS_WITH_AS(parse_json("f.json", std::string(100000, '[')),
                       "f.json: JSON: nested deeper than 64", Error);
  CHECK_THROWS_WITH_AS(parse_json("f.json", R"({"a":1,"a":2})"),
                       "f.json: JSON: the name 'a' appears twice in one object", Error);
  CHECK_THROWS_WITH_AS(parse_json("f.json", "{"), doctest::Contains("f.json: JSON: parse error"),
                       Error);
}

}  // namespace
