// Float matrices, one list item per weight: routers, and models built with --bits float.
#include "kernels/kernels.h"

namespace sb3lm {

using namespace blocks;

DotProc emit_dot(Sprite& engine, const Workspace& w, DotShape shape) {
  const std::string name = fmt::format("dot {} x {}", shape.chunks, shape.chunk);
  const auto at = engine.var<Num>("_" + name + " at"), acc = engine.var<Num>("_" + name + " acc"),
             in = engine.var<Num>("_" + name + " in"), out = engine.var<Num>("_" + name + " out");
  const auto products = [&] {
    return unrolled_sum(shape.chunk, [&](int k) { return w.scales[at + k] * w.act[in + k]; });
  };
  return engine.define<Num, Num, Num, Num>(
      name, {"weights at", "rows", "in at", "out at"},
      [&](Script& s, Arg<Num> weights_at, Arg<Num> rows, Arg<Num> in_at, Arg<Num> out_at) {
        s.set(at, weights_at + 0);
        s.set(out, out_at + 0);
        s.repeat(rows, [&](Script& s) {
          s.set(in, in_at + 0);
          s.set(acc, 0);
          s.repeat(shape.chunks, [&](Script& s) {
            s.set(acc, acc + products());
            s.change(at, shape.chunk);
            s.change(in, shape.chunk);
          });
          s.replace(w.act, out, acc + 0);
          s.change(out, 1);
        });
      });
}

}  // namespace sb3lm
