// What the decoders of codes share: the walk over rows of groups, and bytes of planes into their
// places.
#pragma once

#include <utility>

#include "quant/encoding.h"

namespace sb3lm {

/// Where a decoder stands: in the text, and at the group's byte in the first plane; `base` is the
/// index of the group's table entry 0.
struct DecodeCursor {
  blocks::Var<blocks::Num> item, from, to, base, acc, rest;

  DecodeCursor(blocks::Sprite& engine, const std::string& decoder);
};

/// The same whole number. JavaScript's engine goes on holding what came of larger numbers as a
/// double, and the list of codes must hold small integers only: one double makes it a list of
/// doubles, twice as large, and lookups take half as long again (docs/costs.md).
inline blocks::Expr<blocks::Num> small_integer(blocks::Expr<blocks::Num> number) {
  return floor(std::move(number));
}

/// acc holds bytes of `planes` planes as the spread table's sums do; puts them into their places,
/// `first` being the plane of the most significant one.
void put_plane_bytes(blocks::Script& s, const DecodeLists& lists, const DecodeCursor& cursor,
                     int first, int planes, blocks::Arg<blocks::Num>& groups);

/// decode(item, letter, rows, at, groups): `start(s, item, letter)` once, which sets `from`;
/// `group(s, groups)` decodes one group and moves `from` on.
template <class Start, class Group>
DecodeProc emit_row_decoder(blocks::Sprite& engine, const std::string& name,
                            const DecodeCursor& cursor, int bits, Start start, Group group) {
  using namespace blocks;
  return engine.define<Num, Num, Num, Num, Num>(
      name, {"item", "letter", "rows", "at", "groups"},
      [&](Script& s, Arg<Num> item, Arg<Num> letter, Arg<Num> rows, Arg<Num> at, Arg<Num> groups) {
        s.set(cursor.item, item + 0);
        start(s, item, letter);
        s.set(cursor.to, at + 0);
        s.repeat(rows, [&](Script& s) {
          s.set(cursor.base, 1);
          s.repeat(groups, [&](Script& s) {
            group(s, groups);
            s.change(cursor.to, 1);
            s.change(cursor.base, 256);
          });
          if (bits > 1) s.change(cursor.to, groups * (bits - 1));
        });
      });
}

}  // namespace sb3lm
