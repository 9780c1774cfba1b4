// Bounds-checked reading: values, and errors that name file, offset, thing and rule.
#include <doctest/doctest.h>

#include <limits>

#include "base/reader.h"

using namespace sb3lm;

namespace {

// What the call throws; its fault must be bad_input.
template <class Call>
std::string error_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    CHECK(error.fault == Fault::bad_input);
    return error.what();
  }
  return "nothing was thrown";
}

const std::string kBytes("\x01\x02\x03\x04\x05\x06\x07\x88\xff\x00\x00\x80\x3f", 13);

}  // namespace

TEST_CASE("little-endian numbers") {
  Reader in("file.bin", as_bytes(kBytes));
  CHECK(in.size() == 13);
  CHECK(in.u8() == 1);
  CHECK(in.u16() == 0x0302);
  CHECK(in.offset() == 3);
  CHECK(in.u32() == 0x07060504);
  CHECK(in.remaining() == 6);
  in.seek(0);
  CHECK(in.u64() == 0x8807060504030201);
  in.seek(5);
  CHECK(in.i32() == static_cast<std::int32_t>(0xff880706));
  in.seek(9);
  CHECK(in.f32() == 1.0f);
  CHECK(in.remaining() == 0);
}

TEST_CASE("bytes without a copy") {
  Reader in("file.bin", as_bytes(kBytes));
  in.seek(2);
  CHECK(as_text(in.take(3)) == "\x03\x04\x05");
  CHECK(in.take(0).empty());
  CHECK(in.offset() == 5);
}

TEST_CASE("errors name file, offset, thing and rule") {
  Reader in("some/file.bin", as_bytes(kBytes));
  in.seek(10);
  CHECK(error_of([&] { in.u32(); }) == "some/file.bin: byte 10: file: 4 bytes needed, 3 left");
  CHECK(in.offset() == 10);  // a failed read reads nothing
  in.reading("shape of 'q'");
  CHECK(error_of([&] { in.u64(); }) ==
        "some/file.bin: byte 10: shape of 'q': 8 bytes needed, 3 left");
  CHECK(error_of([&] { in.fail("rank {} is outside 1..4", 9); }) ==
        "some/file.bin: byte 10: shape of 'q': rank 9 is outside 1..4");
}

TEST_CASE("lengths that would overflow") {
  constexpr auto kHuge = std::numeric_limits<std::uint64_t>::max();
  Reader in("f", as_bytes(kBytes));
  in.seek(13);
  CHECK(in.remaining() == 0);
  for (const std::uint64_t count : {std::uint64_t{1}, std::uint64_t{1} << 63, kHuge, kHuge - 12}) {
    CAPTURE(count);
    CHECK(error_of([&] { in.take(count); }) ==
          fmt::format("f: byte 13: file: {} bytes needed, 0 left", count));
  }
  CHECK(error_of([&] { in.seek(14); }) ==
        "f: byte 13: file: offset 14 is past the end of 13 bytes");
  CHECK(error_of([&] { in.seek(kHuge); }).find("past the end") != std::string::npos);
}

TEST_CASE("an empty file") {
  Reader in("f", {});
  CHECK(in.remaining() == 0);
  CHECK(error_of([&] { in.u8(); }) == "f: byte 0: file: 1 bytes needed, 0 left");
}
