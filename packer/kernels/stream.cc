// What parameter-golf's models do to the residual stream: scaled additions, mixes, the smear.
#include "kernels/kernels.h"

namespace sb3lm {

using namespace blocks;

AddProc emit_add_scaled(Sprite& engine, const Workspace& w) {
  const auto from = engine.var<Num>("_scaled from"), by = engine.var<Num>("_scaled by"),
             to = engine.var<Num>("_scaled to");
  return engine.define<Num, Num, Num, Num>(
      "add scaled", {"from at", "numbers at", "to at", "count"},
      [&](Script& s, Arg<Num> from_at, Arg<Num> numbers_at, Arg<Num> to_at, Arg<Num> count) {
        s.set(from, from_at + 0);
        s.set(by, numbers_at + 0);
        s.set(to, to_at + 0);
        s.repeat(count, [&](Script& s) {
          s.replace(w.act, to, w.act[to] + w.act[from] * w.scales[by]);
          s.change(from, 1);
          s.change(by, 1);
          s.change(to, 1);
        });
      });
}

Proc<Num, Num, Num> emit_copy(Sprite& engine, const Workspace& w) {
  const auto from = engine.var<Num>("_copy from"), to = engine.var<Num>("_copy to");
  return engine.define<Num, Num, Num>(
      "copy", {"from at", "to at", "count"},
      [&](Script& s, Arg<Num> from_at, Arg<Num> to_at, Arg<Num> count) {
        s.set(from, from_at + 0);
        s.set(to, to_at + 0);
        s.repeat(count, [&](Script& s) {
          s.replace(w.act, to, w.act[from] + 0);
          s.change(from, 1);
          s.change(to, 1);
        });
      });
}

MixProc emit_mix(Sprite& engine, const Workspace& w) {
  const auto own = engine.var<Num>("_mix own"), other = engine.var<Num>("_mix other"),
             from = engine.var<Num>("_mix from"), to = engine.var<Num>("_mix to");
  return engine.define<Num, Num, Num, Num, Num>(
      "mix", {"own numbers at", "other numbers at", "from at", "to at", "count"},
      [&](Script& s, Arg<Num> own_at, Arg<Num> other_at, Arg<Num> from_at, Arg<Num> to_at,
          Arg<Num> count) {
        s.set(own, own_at + 0);
        s.set(other, other_at + 0);
        s.set(from, from_at + 0);
        s.set(to, to_at + 0);
        s.repeat(count, [&](Script& s) {
          s.replace(w.act, to, w.act[to] * w.scales[own] + w.act[from] * w.scales[other]);
          s.change(own, 1);
          s.change(other, 1);
          s.change(from, 1);
          s.change(to, 1);
        });
      });
}

AddProc emit_smear(Sprite& engine, const Workspace& w, const ExpBlocks& exp) {
  const auto gate = engine.var<Num>("_smear gate"), from = engine.var<Num>("_smear from"),
             to = engine.var<Num>("_smear to"), g = engine.var<Num>("_smear g");
  return engine.define<Num, Num, Num, Num>(
      "smear", {"gates at", "from at", "to at", "count"},
      [&](Script& s, Arg<Num> gates_at, Arg<Num> from_at, Arg<Num> to_at, Arg<Num> count) {
        s.set(gate, gates_at + 0);
        s.set(from, from_at + 0);
        s.set(to, to_at + 0);
        s.repeat(count, [&](Script& s) {
          s.call(exp.exp, 0 - w.scales[gate + 0]);
          s.set(g, 1 / (1 + w.exp));
          s.replace(w.act, to + 0, (1 - g) * w.act[to + 0] + g * w.act[from + 0]);
          s.change(gate, 1);
          s.change(from, 1);
          s.change(to, 1);
        });
      });
}

// Both numbers bit by bit, as long as one has any left.
Proc<Num, Num> emit_bigram(Sprite& engine, const Workspace& w, int buckets,
                           const std::string& name) {
  const auto local = [&](const char* what) { return engine.var<Num>("_" + name + " " + what); };
  const auto a = local("a"), b = local("b"), bit = local("bit");
  return engine.define<Num, Num>(
      name, {"token", "before"}, [&](Script& s, Arg<Num> token, Arg<Num> before) {
        s.when_else(
            before < 0, [&](Script& s) { s.set(w.sum, buckets - 1); },
            [&](Script& s) {
              s.set(a, token * 36313);
              s.set(b, before * 27191);
              s.set(w.sum, 0);
              s.set(bit, 1);
              s.repeat_until(a + b == 0, [&](Script& s) {
                s.when(mod(a + b, 2) == 1, [&](Script& s) { s.change(w.sum, bit + 0); });
                s.set(a, floor(a / 2));
                s.set(b, floor(b / 2));
                s.set(bit, bit * 2);
              });
              s.set(w.sum, mod(w.sum, buckets - 1));
            });
      });
}

}  // namespace sb3lm
