// Subset sums of 8 inputs: for every sum of the first four, the 16 sums of the last four are added
// to it. Interpreted, these sums stand in variables and entries are appended to an emptied list
// (0.63 us an entry, against 0.84 to 2.0 for replacing). Compiled, both is slow: a variable keeps
// each fraction in an object of its own, and a list that grows is copied again and again. There the
// sums stand in two short lists, and entries are replaced (docs/costs.md). Both forms add in the
// same order.
#include "kernels/kernels.h"
#include "kernels/tuned.h"

namespace sb3lm {

using namespace blocks;

namespace {

constexpr int kEntries = 256, kSums = 16;  // of a group; of four inputs

// Puts the sum of those of the four inputs at `at` + first whose bit is set in m, for each m in
// 1..15, by put(m, sum); of(m) is one that was put before. The first input is the most significant
// bit.
template <class Put, class Of>
void put_sums(const Workspace& w, const Var<Num>& at, int first, Put put, Of of) {
  for (int m = 1; m < kSums; ++m) {
    const int top = m & -m;  // lowest set bit: input 3 for bit 1, input 0 for bit 8
    const int rest = m ^ top;
    if (rest == 0) {
      const int input = top == 1 ? 3 : top == 2 ? 2 : top == 4 ? 1 : 0;
      put(m, (first + input == 0 ? w.act[at] : w.act[at + (first + input)]) + 0);
    } else {
      put(m, of(rest) + of(top));
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

using TableProc = Proc<Num, Num>;

// `start` before the first group.
template <class Start>
TableProc emit_groups(Sprite& engine, const Workspace& w, const std::string& name,
                      const Var<Num>& at, const Proc<>& group, Start start) {
  return engine.define<Num, Num>(name, {"in at", "groups"},
                                 [&](Script& s, Arg<Num> in_at, Arg<Num> groups) {
                                   s.set(at, in_at + 0);
                                   s.set(w.sum, 0);
                                   start(s, groups);
                                   s.repeat(groups, [&](Script& s) { s.call(group); });
                                 });
}

TableProc emit_appended(Sprite& engine, const Workspace& w, const std::string& name,
                        const Var<Num>& at, const Proc<>& group) {
  return emit_groups(engine, w, name, at, group, [&](Script& s, Arg<Num>&) { s.clear(w.table); });
}

TableProc emit_interpreted(Sprite& engine, const Workspace& w, const std::string& name,
                           const Var<Num>& at) {
  std::vector<Var<Num>> high, low;
  for (int m = 0; m < kSums; ++m) {
    low.push_back(m == 0 ? at : engine.var<Num>(fmt::format("_low {}", m)));
  }
  for (int m = 0; m < 5; ++m) {
    high.push_back(m == 0 ? at : engine.var<Num>(fmt::format("_high {}", m)));
  }
  const auto low_sum = [&](int m) -> const Var<Num>& { return low[static_cast<std::size_t>(m)]; };
  const auto group = engine.define<>(name + " group", {}, [&](Script& s) {
    s.set(at, at + 0);
    put_sums(
        w, at, 4, [&](int m, Expr<Num> sum) { s.set(low_sum(m), std::move(sum)); }, low_sum);
    each_high_sum(s, w, high, at, 0, [&](Script& s) {
      s.append(w.table, high[4] + 0);
      for (int l = 1; l < kSums; ++l) s.append(w.table, high[4] + low_sum(l));
    });
    s.change(w.sum, w.table[w.table.length()]);
    s.change(at, 8);
  });
  return emit_appended(engine, w, name, at, group);
}

// The table keeps its length between vectors.
TableProc emit_compiled(Sprite& engine, const Workspace& w, const std::string& name,
                        const Var<Num>& at) {
  const auto high = engine.list<Num>("_high sums", {}, kSums),
             low = engine.list<Num>("_low sums", {}, kSums);
  const auto row = engine.var<Num>("_table row"), to = engine.var<Num>("_table to");
  const auto entries = engine.define<>(name + " row", {}, [&](Script& s) {
    s.set(row, row + 0);
    s.set(to, to + 0);
    s.replace(w.table, to + 0, high[row] + 0);
    for (int l = 1; l < kSums; ++l) s.replace(w.table, to + l, high[row] + low[l + 1]);
    s.change(row, 1);
    s.change(to, kSums);
  });
  const auto group = engine.define<>(name + " group", {}, [&](Script& s) {
    s.set(at, at + 0);
    for (const bool first : {true, false}) {
      const List<Num>& sums = first ? high : low;
      put_sums(
          w, at, first ? 0 : 4,
          [&](int m, Expr<Num> sum) { s.replace(sums, m + 1, std::move(sum)); },
          [&](int m) { return sums[m + 1]; });
    }
    s.set(row, 1);
    for (int m = 0; m < kSums; ++m) s.call(entries);  // no loop: see rows.cc
    s.change(w.sum, w.table[to - 1]);
    s.change(at, 8);
  });
  return emit_groups(engine, w, name, at, group, [&](Script& s, Arg<Num>& groups) {
    s.set(to, 1);
    s.repeat(groups * kEntries - w.table.length(), [&](Script& s) { s.append(w.table, 0); });
  });
}

}  // namespace

Proc<Num, Num> emit_table(Sprite& engine, const Workspace& w) {
  const auto at = engine.var<Num>("_table at");
  if (w.small) return emit_appended(engine, w, "table", at, emit_small_group(engine, w, at));
  return emit_tuned<Num, Num>(engine, w, "table", {"in at", "groups"},
                              [&](Vm vm, const std::string& name) {
                                return vm == Vm::turbowarp ? emit_compiled(engine, w, name, at)
                                                           : emit_interpreted(engine, w, name, at);
                              });
}

}  // namespace sb3lm
