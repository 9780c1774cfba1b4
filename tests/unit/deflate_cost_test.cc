// Bits by output range: streams written by hand, bit by bit, and what libdeflate makes.
#include "sb3/deflate_cost.h"

#include <doctest/doctest.h>
#include <libdeflate.h>

#include <numeric>
#include <random>

#include "base/error.h"

using namespace sb3lm;

namespace {

/// Bits from the least significant on; Huffman codes are given as they are written in RFC 1951.
class BitWriter {
 public:
  BitWriter& bits(unsigned value, int count) {
    for (int i = 0; i < count; ++i) bit(value >> i & 1);
    return *this;
  }
  BitWriter& code(unsigned value, int count) {
    for (int i = count - 1; i >= 0; --i) bit(value >> i & 1);
    return *this;
  }
  BitWriter& fixed_literal(unsigned char letter) { return code(0x30u + letter, 8); }
  BitWriter& fixed_end() { return code(0, 7); }
  void align() { count_ = (count_ + 7) / 8 * 8; }
  std::string take() { return bytes_; }

 private:
  void bit(unsigned value) {
    if (count_ % 8 == 0) bytes_ += '\0';
    bytes_.back() = static_cast<char>(bytes_.back() | value << count_ % 8);
    ++count_;
  }
  std::string bytes_;
  unsigned count_ = 0;
};

using Ends = std::vector<std::size_t>;
using Bits = std::vector<std::uint64_t>;

Bits cost(const std::string& stream, const Ends& ends) {
  return deflate_cost("x", as_bytes(stream), ends);
}

std::string reason(const std::string& stream, const Ends& ends) {
  try {
    cost(stream, ends);
  } catch (const Error& error) {
    CHECK(error.fault == Fault::bad_input);
    return error.what();
  }
  return "";
}

std::string deflate(const std::string& text, int level) {
  libdeflate_compressor* compressor = libdeflate_alloc_compressor(level);
  std::string out(libdeflate_deflate_compress_bound(compressor, text.size()), '\0');
  out.resize(
      libdeflate_deflate_compress(compressor, text.data(), text.size(), out.data(), out.size()));
  libdeflate_free_compressor(compressor);
  return out;
}

std::string hex_digits(std::size_t count, std::mt19937& random) {
  std::string text;
  while (text.size() < count) text += "0123456789abcdef"[random() & 15];
  return text;
}

// Digits of 4 bits, zeros that cost next to nothing, and bytes that do not compress.
std::string mixed_text() {
  std::mt19937 random(1);
  std::string text = hex_digits(400000, random);
  for (int i = 0; i < 300000; ++i) text += "0,";
  for (int i = 0; i < 200000; ++i) text += static_cast<char>(random());
  return text;
}

}  // namespace

TEST_CASE("literals of the fixed code") {
  BitWriter out;
  out.bits(1, 1).bits(1, 2).fixed_literal('a').fixed_literal('b').fixed_end();
  const std::string stream = out.take();
  CHECK(stream.size() == 4);  // 26 bits
  // Ten bits of header and end mark are shared, six of padding go to the last.
  CHECK(cost(stream, {1, 2}) == Bits{8 + 5, 8 + 5 + 6});
  CHECK(cost(stream, {0, 2, 2}) == Bits{0, 26, 6});
}

TEST_CASE("a match belongs to the bytes that it makes") {
  BitWriter out;
  out.bits(1, 1).bits(1, 2).fixed_literal('a');
  out.code(4, 7).code(0, 5);  // length 6, distance 1
  out.fixed_end();
  const std::string stream = out.take();
  CHECK(stream.size() == 4);  // 30 bits, of them 10 of overhead
  CHECK(cost(stream, {7}) == Bits{32});
  CHECK(cost(stream, {1, 7}) == Bits{8 + 1, 12 + 9 + 2});
  CHECK(cost(stream, {4, 7}) == Bits{8 + 6 + 5, 6 + 5 + 2});  // the match is cut in the middle
}

TEST_CASE("extra bits of lengths and distances count") {
  BitWriter out;
  out.bits(1, 1).bits(1, 2);
  for (int i = 0; i < 8; ++i) out.fixed_literal('a');
  out.code(265 - 256, 7).bits(1, 1);  // length 12
  out.code(4, 5).bits(1, 1);          // distance 6
  out.fixed_end();
  const Bits bits = cost(out.take(), {8, 20});
  CHECK(bits[0] == 64 + 4);
  CHECK(bits[1] == 14 + 6 + 0);  // 88 bits: no padding
}

TEST_CASE("stored blocks, and blocks without output") {
  BitWriter empty;
  empty.bits(0, 1).bits(0, 2);
  empty.align();
  empty.bits(0, 16).bits(0xffff, 16);
  empty.bits(1, 1).bits(0, 2);
  empty.align();
  empty.bits(2, 16).bits(0xfffd, 16).bits('h', 8).bits('i', 8);
  // Five bytes of overhead each; the empty block's are the next block's.
  CHECK(cost(empty.take(), {1, 2}) == Bits{8 + 40, 8 + 40});

  BitWriter nothing;
  nothing.bits(1, 1).bits(1, 2).fixed_end();
  CHECK(cost(nothing.take(), {0}) == Bits{16});
}

TEST_CASE("sums equal libdeflate's streams at every level") {
  const std::string text = mixed_text();
  for (const int level : {0, 1, 3, 6, 9, 10, 12}) {
    CAPTURE(level);
    const std::string stream = deflate(text, level);
    Ends ends;
    for (std::size_t end = 0; end < text.size(); end += 9973) ends.push_back(end);
    ends.push_back(text.size());
    const Bits bits = cost(stream, ends);
    CHECK(std::accumulate(bits.begin(), bits.end(), std::uint64_t{0}) == stream.size() * 8);
    if (level == 0) continue;
    const Bits parts = cost(stream, {400000, 1000000, text.size()});
    CHECK(parts[0] < 400000 * 5);
    CHECK(parts[0] > 400000 * 4);
    CHECK(parts[1] < 600000 / 50);
    CHECK(parts[2] > 200000 * 8);
  }
}

TEST_CASE("broken streams are refused with a reason") {
  const std::string text = "a text that is long enough to be compressed, compressed, compressed";
  const std::string stream = deflate(text, 12);
  CHECK(reason(stream, {text.size()}) == "");
  CHECK(reason(stream, {text.size() - 1}).ends_with("more than 66 bytes"));
  CHECK(reason(stream, {text.size() + 1}).ends_with("67 bytes instead of 68"));
  CHECK(reason(stream + "more", {text.size()}).find("it ends before byte") != std::string::npos);
  CHECK(reason("\x07", {1}).ends_with("a block of unknown type"));
  CHECK(reason("", {1}) != "");
  BitWriter early;
  early.bits(1, 1).bits(1, 2).code(4, 7).code(0, 5).fixed_end();
  CHECK(reason(early.take(), {6}).ends_with("a match from before the start"));
  for (std::size_t size = 0; size < stream.size(); ++size) {
    CHECK(reason(stream.substr(0, size), {text.size()}) != "");
  }
}

TEST_CASE("damaged streams never get out of bounds") {
  std::mt19937 random(2);
  const std::string text = hex_digits(3000, random);
  const std::string stream = deflate(text, 9);
  for (int round = 0; round < 20000; ++round) {
    std::string damaged = stream;
    for (int i = 0; i < 3; ++i) {
      damaged[random() % (round % 2 == 0 ? 60 : stream.size())] ^=
          static_cast<char>(1 << random() % 8);
    }
    try {
      const Bits bits = cost(damaged, {1000, text.size()});
      CHECK(bits[0] + bits[1] == damaged.size() * 8);
    } catch (const Error& error) {
      CHECK(error.fault == Fault::bad_input);
    }
  }
}
