// Row scales, norms and routers: binary16 bit patterns as hex digits, decoded exactly through a
// list of the 64 step sizes (sign and exponent).
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/entropy.h"
#include "base/error.h"
#include "base/half.h"
#include "quant/encoding.h"

namespace sb3lm {

using namespace blocks;

HalvesKind halves_kind(const Tensor& tensor) {
  if (std::holds_alternative<CodedTensor>(tensor)) return HalvesKind::scales;
  return shape_of(tensor).rows > 1 ? HalvesKind::matrices : HalvesKind::vectors;
}

namespace {

using Roles = std::span<const std::vector<std::uint16_t>>;

// Bits of all four streams by their entropies; infinite if a number does not fit.
double bits_of(Roles roles, const std::vector<int>& bases) {
  std::array<std::array<std::uint64_t, 16>, kHalfStreams> counts{};
  for (std::size_t role = 0; role < roles.size(); ++role) {
    for (const std::uint16_t half : roles[role]) {
      const int value = half - bases[role];
      if (value < 0 || value > 0xFFFF) return std::numeric_limits<double>::infinity();
      for (std::size_t k = 0; k < kHalfStreams; ++k) {
        ++counts[k][static_cast<std::size_t>(value >> (12 - 4 * k) & 15)];
      }
    }
  }
  double bits = 0;
  for (const auto& stream : counts) bits += entropy_bits(stream);
  return bits;
}

int average(const std::vector<std::uint16_t>& halves) {
  return static_cast<int>(std::accumulate(halves.begin(), halves.end(), std::int64_t{0}) /
                          static_cast<std::int64_t>(halves.size()));
}

}  // namespace

std::vector<int> halves_bases(Roles roles) {
  std::vector<int> smallest, aligned;
  int below = 0;
  for (const auto& halves : roles) {
    check(!halves.empty(), "a role without numbers");
    smallest.push_back(*std::min_element(halves.begin(), halves.end()));
    below = std::max(below, average(halves) - smallest.back());
  }
  // The middle of a block of 256 in that of one of 4,096, so that high digits rarely change.
  const int middle = below + (0x880 - below % 4096 + 4096) % 4096;
  for (const auto& halves : roles) aligned.push_back(average(halves) - middle);
  return bits_of(roles, aligned) < bits_of(roles, smallest) ? aligned : smallest;
}

void pack_halves(std::span<const std::uint16_t> halves, int base, std::span<std::string> streams) {
  for (const std::uint16_t half : halves) {
    const int value = half - base;
    if (value < 0 || value > 0xFFFF) fail(Fault::bug, "half {} on base {}", half, base);
    for (int k = 0; k < kHalfStreams; ++k) {
      streams[static_cast<std::size_t>(k)] += kHexDigits[value >> (12 - 4 * k) & 15];
    }
  }
}

std::vector<std::uint16_t> unpack_halves(std::span<const std::string_view> streams, int base,
                                         std::size_t count) {
  for (const std::string_view stream : streams) {
    if (stream.size() < count) {
      fail(Fault::bad_input, "weight text: {} letters for {} numbers", stream.size(), count);
    }
  }
  std::vector<std::uint16_t> halves(count);
  for (std::size_t i = 0; i < count; ++i) {
    int bits = 0;
    for (const std::string_view stream : streams) bits = 16 * bits + hex_digit(stream[i]);
    bits += base;
    if (bits < 0 || bits > 65535)
      fail(Fault::bad_input, "weight text: number {} has no 16 bits", bits);
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
             top = local("top"), by = local("factor"), base_of = local("base");
  return engine.define<Num, Num, Num, Num, Num, Num>(
      "decode half", {"item", "letter", "count", "at", "factor", "base"},
      [&](Script& s, Arg<Num> item_arg, Arg<Num> letter_at, Arg<Num> count, Arg<Num> at,
          Arg<Num> factor, Arg<Num> base) {
        s.set(item, item_arg + 0);
        s.set(from, letter_at + 0);
        s.set(to, at + 0);
        s.set(by, factor + 0);
        s.set(base_of, base + 0);
        s.repeat(count, [&](Script& s) {
          const auto digit = [&](int k) { return letter(from + 0, lists.text[item + k]); };
          s.set(bits, to_num(join(join("0x", join(digit(0), digit(1))), join(digit(2), digit(3)))) +
                          base_of);
          s.set(top, floor(bits / 1024));
          s.replace(lists.scales, to + 0,
                    ((bits - top * 1024) + add[top + 1]) * step[top + 1] * by);
          s.change(from, 1);
          s.change(to, 1);
        });
      });
}

}  // namespace sb3lm
