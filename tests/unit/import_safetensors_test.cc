#include <doctest/doctest.h>

#include <ctime>

#include "base/error.h"
#include "import/safetensors.h"
#include "support/checkpoint_writer.h"

using namespace sb3lm;

namespace {

constexpr std::string_view kA = R"("a":{"dtype":"U8","shape":[2,2],"data_offsets":[0,4]})";

/// The error's text for a header and data.
std::string error_of(std::string_view header, std::string_view data) {
  const std::string bytes = raw_safetensors(header, data);
  try {
    parse_safetensors("x.safetensors", as_bytes(bytes));
  } catch (const Error& problem) {
    CHECK(problem.fault == Fault::bad_input);
    CHECK(std::string_view(problem.what()).starts_with("x.safetensors: "));
    CHECK(std::string_view(problem.what()).find('\n') == std::string_view::npos);
    return problem.what();
  }
  return "";
}

std::string with_b(std::string_view entry) {
  return "{" + std::string(kA) + ",\"b\":" + std::string(entry) + "}";
}

}  // namespace

TEST_CASE("what is written is read back, metadata included") {
  const std::string bytes = write_safetensors({{"u", "U8", {3}, "abc"}, {"i", "I32", {1}, "1234"}},
                                              {{"key", "value \" \n"}});
  const Container parsed = parse_safetensors("x", as_bytes(bytes));
  REQUIRE(parsed.tensors.size() == 2);
  CHECK(parsed.tensors[0].name == "i");  // wider types first, so that all lie aligned
  CHECK(parsed.tensors[0].offset % 8 == 0);
  CHECK(as_text(parsed.find("u")->bytes) == "abc");
  CHECK(parsed.find("u")->shape == std::vector<std::int64_t>{3});
  CHECK(parsed.find("nothing") == nullptr);
  CHECK(parsed.metadata.at("key") == "value \" \n");
}

TEST_CASE("a header that lies about its length") {
  std::string bytes = raw_safetensors("{}", "");
  bytes[7] = '\x80';  // 2^63
  CHECK_THROWS_WITH_AS(parse_safetensors("x", as_bytes(bytes)),
                       doctest::Contains("byte 8: header length: 9223372036854775810 is more"),
                       Error);
  bytes = raw_safetensors("{}", "");
  bytes[0] = 100;
  CHECK_THROWS_WITH_AS(parse_safetensors("x", as_bytes(bytes)),
                       "x: byte 8: header: 100 bytes needed, 2 left", Error);
  CHECK_THROWS_WITH_AS(parse_safetensors("x", as_bytes("abc")),
                       "x: byte 0: header length: 8 bytes needed, 3 left", Error);
}

TEST_CASE("every way to break a header is one clear line") {
  struct Case {
    std::string header;
    std::string_view data;
    std::string_view message;
  };
  const std::string a(kA);
  const Case cases[] = {
      {"{" + a + "}", "123", "tensor 'a': data_offsets [0, 4] end past the 3 bytes of data"},
      {"{" + a + "}", "12345", "1 bytes after the last tensor belong to none"},
      {"{" + a + "," + a + "}", "1234", "the name 'a' appears twice in one object"},
      {with_b(R"({"dtype":"U8","shape":[2],"data_offsets":[3,5]})"), "12345",
       "tensor 'b': its bytes from"},
      {with_b(R"({"dtype":"U8","shape":[2],"data_offsets":[5,7]})"), "1234567",
       "tensor 'b': 1 unused bytes lie in front of it"},
      {with_b(R"({"dtype":"U8","shape":[2],"data_offsets":[6,4]})"), "123456",
       "tensor 'b': data_offsets [6, 4] run backwards"},
      {with_b(R"({"dtype":"U8","shape":[3],"data_offsets":[4,6]})"), "123456",
       "tensor 'b': data_offsets [4, 6] hold 2 bytes, U8 of this shape takes 3"},
      {with_b(R"({"dtype":"Q7","shape":[2],"data_offsets":[4,6]})"), "123456",
       "unknown dtype 'Q7'"},
      {with_b(R"({"dtype":"F64","shape":[1099511627776,1099511627776],"data_offsets":[4,6]})"),
       "123456", "tensor 'b': its shape multiplies to more than 64 bits"},
      {with_b(R"({"dtype":"U8","shape":[-2],"data_offsets":[4,6]})"), "123456",
       "tensor 'b': shape holds something other than a count"},
      {with_b(R"({"dtype":"U8","shape":[1,1,1,1,1,1,1,1,2],"data_offsets":[4,6]})"), "123456",
       "shape is not a list of at most 8 extents"},
      {with_b(R"({"dtype":"U8","shape":[2]})"), "123456", "header field 'data_offsets' is missing"},
      {with_b(R"({"dtype":"U8","shape":[2],"data_offsets":[4,6],"extra":1})"), "123456",
       "unknown header field 'extra'"},
      {with_b("[]"), "123456", "tensor 'b': its header entry is not an object"},
      {R"({"__metadata__":{"k":1}})", "", "__metadata__ 'k' is not a string"},
      {"[]", "", "the header is not a JSON object"},
      {"{\"a\":", "", "JSON: parse error"},
      {"{\"a\":" + std::string(1000, '[') + std::string(1000, ']') + "}", "",
       "JSON: nested deeper than 64"},
  };
  for (const Case& broken : cases) {
    CAPTURE(broken.header);
    CHECK(error_of(broken.header, broken.data).find(broken.message) != std::string::npos);
  }
}

TEST_CASE("time grows with the number of tensors, not with its square") {
  const auto seconds_for = [](int tensors) {
    std::string header = "{";
    for (int i = 0; i < tensors; ++i) {
      header +=
          fmt::format("{}\"t{}\":{{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[{},{}]}}",
                      i == 0 ? "" : ",", i, 2 * i, 2 * i + 2);
    }
    const std::string bytes =
        raw_safetensors(header + "}", std::string(2 * static_cast<std::size_t>(tensors), '\0'));
    const std::clock_t start = std::clock();
    CHECK(parse_safetensors("many", as_bytes(bytes)).tensors.size() ==
          static_cast<std::size_t>(tensors));
    return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  };
  CHECK(seconds_for(100'000) < 40 * seconds_for(10'000));  // a square would be 100 times
}
