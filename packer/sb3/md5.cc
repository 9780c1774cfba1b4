#include "sb3/md5.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace sb3lm {
namespace {

using State = std::array<std::uint32_t, 4>;

// RFC 1321 section 3.4: T[i] is the integer part of 2^32 |sin(i)|. Turning by 1 again and again is
// off by less than 1e-14, and none of the products lies nearer than 0.01 to an integer.
constexpr auto kSines = [] {
  constexpr double kCosine1 = 0.5403023058681398, kSine1 = 0.8414709848078965;
  std::array<std::uint32_t, 64> values{};
  double cosine = 1, sine = 0;
  for (std::uint32_t& value : values) {
    const double turned = sine * kCosine1 + cosine * kSine1;
    cosine = cosine * kCosine1 - sine * kSine1;
    sine = turned;
    value = static_cast<std::uint32_t>((sine < 0 ? -sine : sine) * 4294967296.0);
  }
  return values;
}();

std::uint32_t mix(int round, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  switch (round) {
    case 0:
      return (b & c) | (~b & d);
    case 1:
      return (b & d) | (c & ~d);
    case 2:
      return b ^ c ^ d;
    default:
      return c ^ (b | ~d);
  }
}

void add_block(State& state, const char* block) {
  static constexpr int kShift[4][4] = {
      {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
  static constexpr int kStep[4] = {1, 5, 3, 7}, kStart[4] = {0, 1, 5, 0};
  std::uint32_t words[16];
  std::memcpy(words, block, sizeof words);
  auto [a, b, c, d] = state;
  for (int i = 0; i < 64; ++i) {
    const int round = i / 16;
    const std::uint32_t word = words[(kStart[round] + kStep[round] * i) % 16];
    const std::uint32_t sum = a + mix(round, b, c, d) + word + kSines[i];
    a = d, d = c, c = b;
    b += std::rotl(sum, kShift[round][i % 4]);
  }
  state[0] += a, state[1] += b, state[2] += c, state[3] += d;
}

}  // namespace

std::string md5_hex(std::string_view bytes) {
  static_assert(std::endian::native == std::endian::little);
  State state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  const std::size_t whole = bytes.size() / 64 * 64;
  for (std::size_t at = 0; at < whole; at += 64) add_block(state, bytes.data() + at);
  std::string tail(bytes.substr(whole));
  tail += '\x80';
  tail.resize((tail.size() + 8 + 63) / 64 * 64, '\0');
  const std::uint64_t bits = std::uint64_t{bytes.size()} * 8;
  std::memcpy(tail.data() + tail.size() - 8, &bits, 8);
  for (std::size_t at = 0; at < tail.size(); at += 64) add_block(state, tail.data() + at);
  std::string hex;
  for (const std::uint32_t word : state) {
    for (int shift = 0; shift < 32; shift += 8) hex += fmt::format("{:02x}", word >> shift & 255);
  }
  return hex;
}

}  // namespace sb3lm
