#include "quant/row_decoder.h"

namespace sb3lm {

using namespace blocks;

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
  for (int plane = planes - 1; plane >= 0; --plane) {
    const auto place = to + groups * (first + plane);
    if (plane == 0) {
      s.replace(lists.codes, copy(place), acc + base);
    } else {
      s.set(rest, floor(acc / 8192));
      s.replace(lists.codes, copy(place), acc - rest * 8192 + base);
      s.set(acc, rest + 0);
    }
  }
}

}  // namespace sb3lm
