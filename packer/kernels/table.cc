// Subset sums of 8 inputs: 16 sums of the first four, 16 of the last four, and their 256 pairs
// added to an emptied list. Appending is the cheapest form in vanilla Scratch (0.63 us an entry
// against 0.84 to 2.0 for replacing) and bearable in TurboWarp (ARCHITECTURE.md, "Costs of
// blocks").
#include "kernels/kernels.h"

namespace sb3lm {

using namespace blocks;

namespace {

// sums[m] for m in 1..15 is the sum of the four inputs whose bit is set in m; the first input is
// the most significant bit. sums[0] is unused (it is 0).
void set_nibble_sums(Script& s, const Workspace& w, const std::vector<Var<Num>>& sums,
                     const Var<Num>& at, int first) {
  for (int m = 1; m < 16; ++m) {
    const int top = m & -m;  // lowest set bit: input 3 for bit 1, input 0 for bit 8
    const int rest = m ^ top;
    if (rest == 0) {
      const int input = top == 1 ? 3 : top == 2 ? 2 : top == 4 ? 1 : 0;
      s.set(sums[static_cast<std::size_t>(m)], w.act[at + (first + input)] + 0);
    } else {
      s.set(sums[static_cast<std::size_t>(m)],
            sums[static_cast<std::size_t>(rest)] + sums[static_cast<std::size_t>(top)]);
    }
  }
}

}  // namespace

Proc<Num, Num> emit_table(Sprite& engine, const Workspace& w) {
  const auto at = engine.var<Num>("_table at");
  std::vector<Var<Num>> high, low;
  for (int m = 0; m < 16; ++m) {
    high.push_back(m == 0 ? at : engine.var<Num>(fmt::format("_high {}", m)));
    low.push_back(m == 0 ? at : engine.var<Num>(fmt::format("_low {}", m)));
  }
  // No loop in here: with its warp timer on, TurboWarp makes plain functions of such procedures
  // only.
  const auto group = engine.define<>("table group", {}, [&](Script& s) {
    s.set(at, at + 0);
    set_nibble_sums(s, w, high, at, 0);
    set_nibble_sums(s, w, low, at, 4);
    s.append(w.table, Expr<Num>(0) + 0);  // a bare 0 would be stored as text
    for (std::size_t code = 1; code < 256; ++code) {
      const std::size_t h = code / 16, l = code % 16;
      if (h == 0) {
        s.append(w.table, low[l] + 0);
      } else if (l == 0) {
        s.append(w.table, high[h] + 0);
      } else {
        s.append(w.table, high[h] + low[l]);
      }
    }
    s.change(w.sum, high[15] + low[15]);
    s.change(at, 8);
  });
  return engine.define<Num, Num>("table", {"in at", "groups"},
                                 [&](Script& s, Arg<Num> in_at, Arg<Num> groups) {
                                   s.set(at, in_at + 0);
                                   s.set(w.sum, 0);
                                   s.clear(w.table);
                                   s.repeat(groups, [&](Script& s) { s.call(group); });
                                 });
}

}  // namespace sb3lm
