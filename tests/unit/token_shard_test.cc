// Files of token ids: whole, cut and contradictory.
#include "import/token_shard.h"

#include <doctest/doctest.h>

#include "base/error.h"

using namespace sb3lm;

namespace {

std::string number(std::uint32_t value) {
  std::string bytes;
  for (int i = 0; i < 4; ++i) bytes += static_cast<char>(value >> 8 * i & 0xff);
  return bytes;
}

std::string shard(std::uint32_t magic, std::uint32_t version, std::uint32_t count,
                  const std::string& ids) {
  std::string bytes = number(magic) + number(version) + number(count);
  bytes.resize(1024);
  return bytes + ids;
}

std::string refusal(const std::string& bytes) {
  try {
    read_token_shard("val.bin", as_bytes(bytes));
  } catch (const Error& error) {
    CHECK(error.fault == Fault::bad_input);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("ids of 16 bits after 1,024 bytes") {
  const std::string bytes = shard(20240520, 1, 3, std::string("\1\0\xff\xff\0\2", 6));
  CHECK(is_token_shard(as_bytes(bytes)));
  CHECK(read_token_shard("val.bin", as_bytes(bytes)) == std::vector{1, 65535, 512});
  CHECK(read_token_shard("val.bin", as_bytes(shard(20240520, 1, 0, ""))).empty());
}

TEST_CASE("a text is no shard") {
  const std::string text = "20240520", short_one = "\x88";
  CHECK_FALSE(is_token_shard(as_bytes(text)));
  CHECK_FALSE(is_token_shard(as_bytes(short_one)));
}

TEST_CASE("broken shards are refused") {
  const std::string whole = shard(20240520, 1, 2, "abcd");
  CHECK(refusal(whole.substr(0, 8)) ==
        "val.bin: byte 8: header of a token shard: 4 bytes needed, 0 left");
  CHECK(refusal(whole.substr(0, 1000)) ==
        "val.bin: byte 12: header of a token shard: offset 1024 is past the end of 1000 bytes");
  for (const std::string& bytes :
       {whole.substr(0, 1027), whole + "e", shard(20240520, 1, 0xffffffff, "abcd"),
        shard(20240520, 1, 0x7fffffff, "abcd")}) {
    CHECK(refusal(bytes).find("byte 1024: ids of a token shard: ") != std::string::npos);
  }
  CHECK(refusal(shard(20240521, 1, 2, "abcd")) ==
        "val.bin: byte 12: header of a token shard: it begins with 20240521 and not 20240520");
  CHECK(refusal(shard(20240520, 2, 2, "abcd")) ==
        "val.bin: byte 12: header of a token shard: version 2 is not supported, only 1");
}
