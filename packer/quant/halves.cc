// Row scales, norms and routers: binary16 bit patterns as hex digits, decoded exactly through a
// list of the 64 step sizes (sign and exponent).
#include <cmath>

#include "base/error.h"
#include "base/half.h"
#include "quant/encoding.h"

namespace sb3lm {

using namespace blocks;

void pack_halves(std::span<const std::uint16_t> halves, std::uint16_t smallest,
                 std::span<std::string> streams) {
  for (const std::uint16_t half : halves) {
    if (half < smallest) fail(Fault::bug, "half {} is below the smallest, {}", half, smallest);
    for (int k = 0; k < kHalfStreams; ++k) {
      streams[static_cast<std::size_t>(k)] += kHexDigits[(half - smallest) >> (12 - 4 * k) & 15];
    }
  }
}

std::vector<std::uint16_t> unpack_halves(std::span<const std::string_view> streams,
                                         std::uint16_t smallest, std::size_t count) {
  for (const std::string_view stream : streams) {
    if (stream.size() < count) {
      fail(Fault::bad_input, "weight text: {} letters for {} numbers", stream.size(), count);
    }
  }
  std::vector<std::uint16_t> halves(count);
  for (std::size_t i = 0; i < count; ++i) {
    int bits = 0;
    for (const std::string_view stream : streams) bits = 16 * bits + hex_digit(stream[i]);
    bits += smallest;
    if (bits > 65535) fail(Fault::bad_input, "weight text: number {} has no 16 bits", bits);
    halves[i] = static_cast<std::uint16_t>(bits);
  }
  return halves;
}

HalvesProc emit_decode_halves(Sprite& engine, const DecodeLists& lists) {
  // value = (mantissa + implicit) * step, both by sign and exponent.
  std::vector<scratch::Scalar> steps, implicit;
  for (int top = 0; top < 64; ++top) {
    const int exponent = top & 31;
    const double step = std::ldexp(1.0, (exponent == 0 ? 1 : exponent) - 25);
    steps.emplace_back(top < 32 ? step : -step);
    implicit.emplace_back(exponent == 0 ? 0.0 : 1024.0);
  }
  const auto step = engine.list<Num>("_half steps", std::move(steps)),
             add = engine.list<Num>("_half implicit", std::move(implicit));
  const auto local = [&](const char* what) {
    return engine.var<Num>(std::string("_decode half ") + what);
  };
  const auto item = local("item"), from = local("letter"), to = local("at"), bits = local("bits"),
             top = local("top"), by = local("factor"), base = local("smallest");
  return engine.define<Num, Num, Num, Num, Num, Num>(
      "decode half", {"item", "letter", "count", "at", "factor", "smallest"},
      [&](Script& s, Arg<Num> item_arg, Arg<Num> letter_at, Arg<Num> count, Arg<Num> at,
          Arg<Num> factor, Arg<Num> smallest) {
        s.set(item, item_arg + 0);
        s.set(from, letter_at + 0);
        s.set(to, at + 0);
        s.set(by, factor + 0);
        s.set(base, smallest + 0);
        s.repeat(count, [&](Script& s) {
          const auto digit = [&](int k) { return letter(from + 0, lists.text[item + k]); };
          s.set(bits, to_num(join(join("0x", join(digit(0), digit(1))), join(digit(2), digit(3)))) +
                          base);
          s.set(top, floor(bits / 1024));
          s.replace(lists.scales, to + 0,
                    ((bits - top * 1024) + add[top + 1]) * step[top + 1] * by);
          s.change(from, 1);
          s.change(to, 1);
        });
      });
}

}  // namespace sb3lm
