#include "quant/row_decoder.h"

#include <cstdint>

namespace sb3lm {

using namespace blocks;

namespace {
constexpr int kFieldBits = 13;  // that each plane's byte has in a sum of the spread table
}

DecodeCursor::DecodeCursor(Sprite& engine, const std::string& decoder)
    : item(engine.var<Num>("_" + decoder + " item")),
      from(engine.var<Num>("_" + decoder + " letter")),
      to(engine.var<Num>("_" + decoder + " at")),
      base(engine.var<Num>("_" + decoder + " base")),
      acc(engine.var<Num>("_" + decoder + " acc")),
      rest(engine.var<Num>("_" + decoder + " rest")) {}

void put_plane_bytes(Script& s, const DecodeLists& lists, const DecodeCursor& cursor, int first,
                     int planes, Arg<Num>& groups) {
  const auto& [item, from, to, base, acc, rest] = cursor;
  for (int plane = 0; plane < planes; ++plane) {
    const auto place = to + groups * (first + plane);
    if (plane == planes - 1) {
      s.replace(lists.codes, copy(place), small_integer(acc) + base);
    } else {
      const auto below =
          static_cast<double>(std::int64_t{1} << (kFieldBits * (planes - 1 - plane)));
      s.set(rest, floor(acc / below));
      s.replace(lists.codes, copy(place), rest + base);
      s.set(acc, acc - rest * below);
    }
  }
}

}  // namespace sb3lm
