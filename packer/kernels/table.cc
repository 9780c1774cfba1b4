// Subset sums of 8 inputs: for every sum of the first four, the 16 sums of the last four are added
// to it and appended to an emptied list. Appending is the cheapest form in vanilla Scratch
// (0.63 us an entry against 0.84 to 2.0 for replacing) and bearable in TurboWarp (docs/costs.md).
#include "kernels/kernels.h"

namespace sb3lm {

using namespace blocks;

namespace {

// sums[m] for m in 1..15 is the sum of those of the four inputs at `at` + 4 whose bit is set in m;
// the first input is the most significant bit. sums[0] is unused (it is 0).
void set_low_sums(Script& s, const Workspace& w, const std::vector<Var<Num>>& sums,
                  const Var<Num>& at) {
  for (int m = 1; m < 16; ++m) {
    const int top = m & -m;  // lowest set bit: input 3 for bit 1, input 0 for bit 8
    const int rest = m ^ top;
    if (rest == 0) {
      const int input = top == 1 ? 3 : top == 2 ? 2 : top == 4 ? 1 : 0;
      s.set(sums[static_cast<std::size_t>(m)], w.act[at + (4 + input)] + 0);
    } else {
      s.set(sums[static_cast<std::size_t>(m)],
            sums[static_cast<std::size_t>(rest)] + sums[static_cast<std::size_t>(top)]);
    }
  }
}

// body for every sum of the inputs from `input` to 3, added to sums[input]: without an input first,
// then with it. The last input's sums are in sums[4].
template <class Body>
void each_high_sum(Script& s, const Workspace& w, const std::vector<Var<Num>>& sums,
                   const Var<Num>& at, std::size_t input, Body body) {
  s.set(sums[input + 1], input == 0 ? Expr<Num>(0) : sums[input] + 0);
  s.repeat(2, [&](Script& s) {
    if (input == 3) {
      body(s);
    } else {
      each_high_sum(s, w, sums, at, input + 1, body);
    }
    s.set(sums[input + 1], sums[input + 1] + w.act[at + static_cast<int>(input)]);
  });
}

// Every input doubles the sums that are there already: the last two inputs by themselves, then four
// sums a turn.
Proc<> emit_small_group(Sprite& engine, const Workspace& w, const Var<Num>& at) {
  constexpr int kTurn = 4;
  const auto a = engine.var<Num>("_table a"), b = engine.var<Num>("_table b"),
             from = engine.var<Num>("_table from"), turns = engine.var<Num>("_table turns");
  return engine.define<>("table group", {}, [&](Script& s) {
    s.set(from, w.table.length() + 1);
    s.set(a, w.act[at + 6]);
    s.set(b, w.act[at + 7]);
    s.append(w.table, 0);
    s.append(w.table, b);
    s.append(w.table, a);
    s.append(w.table, a + b);
    s.change(at, 5);
    s.set(turns, 1);
    s.repeat(6, [&](Script& s) {
      s.set(a, w.act[at]);
      s.repeat(turns, [&](Script& s) {
        for (int k = 0; k < kTurn; ++k) {
          s.append(w.table, a + (k == 0 ? w.table[from] : w.table[from + k]));
        }
        s.change(from, kTurn);
      });
      s.set(from, from - turns * kTurn);
      s.set(turns, turns * 2);
      s.change(at, -1);
    });
    s.change(w.sum, w.table[w.table.length()]);
    s.change(at, 9);
  });
}

}  // namespace

Proc<Num, Num> emit_table(Sprite& engine, const Workspace& w) {
  const auto at = engine.var<Num>("_table at");
  const auto build = [&](const Proc<>& group) {
    return engine.define<Num, Num>("table", {"in at", "groups"},
                                   [&](Script& s, Arg<Num> in_at, Arg<Num> groups) {
                                     s.set(at, in_at + 0);
                                     s.set(w.sum, 0);
                                     s.clear(w.table);
                                     s.repeat(groups, [&](Script& s) { s.call(group); });
                                   });
  };
  if (w.small) return build(emit_small_group(engine, w, at));
  std::vector<Var<Num>> high, low;
  for (int m = 0; m < 16; ++m) {
    low.push_back(m == 0 ? at : engine.var<Num>(fmt::format("_low {}", m)));
  }
  for (int m = 0; m < 5; ++m) {
    high.push_back(m == 0 ? at : engine.var<Num>(fmt::format("_high {}", m)));
  }
  const auto group = engine.define<>("table group", {}, [&](Script& s) {
    s.set(at, at + 0);
    set_low_sums(s, w, low, at);
    each_high_sum(s, w, high, at, 0, [&](Script& s) {
      s.append(w.table, high[4] + 0);
      for (std::size_t l = 1; l < 16; ++l) s.append(w.table, high[4] + low[l]);
    });
    s.change(w.sum, w.table[w.table.length()]);
    s.change(at, 8);
  });
  return build(group);
}

}  // namespace sb3lm
