#include "quant/levels.h"

#include "quant/hex.h"

namespace sb3lm {

using namespace blocks;

DecodeProc emit_decode_levels(Sprite& engine, const DecodeLists& lists, int bits) {
  const std::string name = fmt::format("decode levels {}", bits);
  const auto local = [&](const char* what) { return engine.var<Num>("_" + name + " " + what); };
  const auto item = local("item"), start = local("start"), from = local("letter"), to = local("at"),
             digit = local("digit"), left = local("left"), bit = local("bit");
  const auto hex = [&](int stream) {
    return to_num(join("0x", letter(from + 0, lists.text[item + stream])));
  };
  // One letter holds four weights, the first in its most significant bit.
  const auto one_bit = [&](Script& s) {
    s.when(left == 0, [&](Script& s) {
      s.set(digit, hex(0));
      s.set(left, 4);
      s.change(from, 1);
    });
    s.set(bit, floor(digit / 8));
    s.replace(lists.codes, to + 0, bit - 0.5);
    s.set(digit, (digit - bit * 8) * 2);
    s.change(left, -1);
  };
  const auto one_letter = [&](Script& s) {
    const int offset = CodeFormat::of_bits(bits).offset;
    s.replace(lists.codes, to + 0, bits <= 4 ? hex(0) + offset : hex(0) * 16 + hex(1) + offset);
    s.change(from, 1);
  };
  return engine.define<Num, Num, Num, Num, Num>(
      name, {"item", "letter", "rows", "at", "cols"},
      [&](Script& s, Arg<Num> item_arg, Arg<Num> letter_at, Arg<Num> rows, Arg<Num> at,
          Arg<Num> cols) {
        s.set(item, item_arg + 0);
        s.set(start, letter_at + 0);
        s.set(to, at + 0);
        s.repeat(rows, [&](Script& s) {
          s.set(from, start + 0);
          if (bits == 1) s.set(left, 0);
          s.repeat(cols, [&](Script& s) {
            if (bits == 1) {
              one_bit(s);
            } else {
              one_letter(s);
            }
            s.change(to, 1);
          });
          s.change(start, floor((cols + 7) / 8) * hex_row_letters(bits, 1));
        });
      });
}

DecodeProc emit_scale_rows(Sprite& engine, const DecodeLists& lists) {
  const auto local = [&](const char* what) {
    return engine.var<Num>(std::string("_scale rows ") + what);
  };
  const auto from = local("from"), to = local("at"), scale = local("scale");
  return engine.define<Num, Num, Num, Num, Num>(
      "scale rows", {"unused", "scale at", "rows", "at", "cols"},
      [&](Script& s, Arg<Num>, Arg<Num> scale_at, Arg<Num> rows, Arg<Num> at, Arg<Num> cols) {
        s.set(from, scale_at + 0);
        s.set(to, at + 0);
        s.repeat(rows, [&](Script& s) {
          s.set(scale, lists.scales[from + 0] + 0);
          s.repeat(cols, [&](Script& s) {
            s.replace(lists.codes, to + 0, lists.codes[to + 0] * scale);
            s.change(to, 1);
          });
          s.change(from, 1);
        });
      });
}

}  // namespace sb3lm
