// One embedding row as numbers: the bit planes of the head's own codes, read back weight by weight.
#include "kernels/kernels.h"

namespace sb3lm {

using namespace blocks;

namespace {

// Item byte + 1: bit j of the byte (the first weight is the most significant bit) as digit j of a
// number in base 16, so that up to four planes add up without carry.
std::vector<scratch::Scalar> spread_bits() {
  std::vector<scratch::Scalar> items;
  for (int byte = 0; byte < 256; ++byte) {
    double spread = 0, digit = 1;
    for (int j = 0; j < 8; ++j, digit *= 16) {
      if ((byte >> (7 - j) & 1) != 0) spread += digit;
    }
    items.emplace_back(spread);
  }
  return items;
}

}  // namespace

Proc<Num, Num, Num> emit_embed_codes(Sprite& engine, const Workspace& w, int bits, int cols,
                                     const std::string& name) {
  const auto local = [&](const char* what) { return engine.var<Num>("_" + name + " " + what); };
  const auto bytes = engine.list<Num>("_" + name + " bits", spread_bits());
  const auto at = local("at"), out = local("out"), acc = local("acc"), next = local("next"),
             base = local("base"), scale = local("scale"), start = local("start");
  const int groups = (cols + 7) / 8;
  // The planes [from, from + count) of the group at `at`, as eight base-16 digits.
  const auto digits = [&](int from, int count) {
    Expr<Num> sum = bytes[w.codes[at + from * groups] - base];
    for (int plane = from + 1; plane < from + count; ++plane) {
      sum = std::move(sum) * 2 + bytes[w.codes[at + plane * groups] - base];
    }
    return sum;
  };
  // Eight digits into eight items: added to what is there, times `weight`, the offset included
  // once.
  const auto spread = [&](Script& s, int from, int count, int weight) {
    s.set(acc, digits(from, count));
    s.repeat(8, [&](Script& s) {
      s.set(next, floor(acc / 16));
      if (from == 0) {
        s.replace(w.act, out + 0, ((acc - next * 16) * weight + start) * scale);
      } else {
        s.replace(w.act, out + 0, w.act[out + 0] + ((acc - next * 16) * weight) * scale);
      }
      s.set(acc, next + 0);
      s.change(out, 1);
    });
  };
  return engine.define<Num, Num, Num>(
      name, {"codes at", "scale at", "out at"},
      [&](Script& s, Arg<Num> codes_at, Arg<Num> scale_at, Arg<Num> out_at) {
        s.set(at, codes_at + 0);
        s.set(out, out_at + 0);
        s.set(scale, w.scales[scale_at + 0] + 0);
        // One bit means 2 * code - 1 with the scale stored doubled: code - 0.5.
        s.set(start, bits == 1 ? -0.5 : -static_cast<double>(1 << (bits - 1)));
        s.set(base, 0);
        s.repeat(groups, [&](Script& s) {
          for (int from = 0; from < bits; from += 4) {
            const int count = std::min(4, bits - from);
            if (from > 0) s.change(out, -8);
            spread(s, from, count, 1 << (bits - from - count));
          }
          s.change(at, 1);
          s.change(base, 256);
        });
        // Padding columns must stay 0 for the table.
        for (int col = cols; col < groups * 8; ++col) s.replace(w.act, out_at + col, 0);
      });
}

Proc<Num, Num> emit_embed_floats(Sprite& engine, const Workspace& w, int cols,
                                 const std::string& name) {
  const auto at = engine.var<Num>("_" + name + " at"), out = engine.var<Num>("_" + name + " out");
  return engine.define<Num, Num>(name, {"weights at", "out at"},
                                 [&](Script& s, Arg<Num> weights_at, Arg<Num> out_at) {
                                   s.set(at, weights_at + 0);
                                   s.set(out, out_at + 0);
                                   s.repeat(cols, [&](Script& s) {
                                     s.replace(w.act, out + 0, w.scales[at + 0] + 0);
                                     s.change(at, 1);
                                     s.change(out, 1);
                                   });
                                 });
}

}  // namespace sb3lm
