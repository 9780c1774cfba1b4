#include "kernels/naive.h"

namespace sb3lm {

using namespace blocks;

NaiveProc emit_naive(Sprite& engine, const Workspace& w, const List<Num>& weights) {
  const std::string name = "naive " + weights.name.substr(1);
  const auto at = engine.var<Num>("_" + name + " at"), acc = engine.var<Num>("_" + name + " acc"),
             in = engine.var<Num>("_" + name + " in"), out = engine.var<Num>("_" + name + " out");
  return engine.define<Num, Num, Num, Num, Num>(
      name, {"weights at", "rows", "cols", "in at", "out at"},
      [&](Script& s, Arg<Num> weights_at, Arg<Num> rows, Arg<Num> cols, Arg<Num> in_at,
          Arg<Num> out_at) {
        s.set(at, weights_at);
        s.set(out, out_at);
        s.repeat(rows, [&](Script& s) {
          s.set(in, in_at);
          s.set(acc, 0);
          s.repeat(cols, [&](Script& s) {
            s.change(acc, weights[at] * w.act[in]);
            s.change(at, 1);
            s.change(in, 1);
          });
          s.replace(w.act, out, acc);
          s.change(out, 1);
        });
      });
}

}  // namespace sb3lm
