// What is done to the heads of a vector one by one.
#include "kernels/kernels.h"

namespace sb3lm {

using namespace blocks;

namespace {
constexpr int kTurn = 8;  // items of a loop turn
}

AddProc emit_gain(Sprite& engine, const Workspace& w) {
  const auto by = engine.var<Num>("_gain by"), at = engine.var<Num>("_gain at");
  return engine.define<Num, Num, Num, Num>(
      "gain", {"numbers at", "at", "heads", "size"},
      [&](Script& s, Arg<Num> numbers_at, Arg<Num> first, Arg<Num> heads, Arg<Num> size) {
        s.set(by, numbers_at + 0);
        s.set(at, first + 0);
        s.repeat(heads, [&](Script& s) {
          s.repeat(size, [&](Script& s) {
            s.replace(w.act, at, w.act[at] * w.scales[by]);
            s.change(at, 1);
          });
          s.change(by, 1);
        });
      });
}

Proc<> emit_exclude(Sprite& engine, const Workspace& w, const ExcludeShape& shape,
                    const std::string& name) {
  const auto local = [&](const char* what) {
    return engine.var<Num>("_exclude " + name + " " + what);
  };
  const auto v = local("v"), y = local("y"), square = local("square"), along = local("along");
  const int size = shape.with.head_size, unroll = w.small ? 1 : largest_divisor(size, kTurn);
  const auto product = [&](const Var<Num>& a, const Var<Num>& b) {
    return unrolled_sum(unroll, [&](int k) { return w.act[a + k] * w.act[b + k]; });
  };
  const auto turn = [&](Script& s, auto body) {
    s.repeat(size / unroll, [&](Script& s) {
      body(s);
      s.change(v, unroll);
      s.change(y, unroll);
    });
    s.change(v, -size);
  };
  const auto one_head = [&](Script& s) {
    s.set(along, 0);
    turn(s, [&](Script& s) { s.set(along, along + product(v, y)); });
    s.change(y, -size);
    s.set(along, along / square);
    turn(s, [&](Script& s) {
      for (int k = 0; k < unroll; ++k) {
        s.replace(w.act, y + k, w.act[y + k] - along * w.act[v + k]);
      }
    });
  };
  return engine.define<>("exclude " + name, {}, [&](Script& s) {
    s.set(v, shape.v_at);
    s.set(y, shape.out_at);
    s.repeat(shape.with.kv_heads, [&](Script& s) {
      s.set(square, 0);
      turn(s, [&](Script& s) { s.set(square, square + product(v, v)); });
      s.change(y, -size);
      // As if |v| were never below 1e-12.
      s.when(square < 1e-24, [&](Script& s) { s.set(square, 1e-24); });
      s.repeat(shape.with.query_heads / shape.with.kv_heads, one_head);
      s.change(v, size);
    });
  });
}

}  // namespace sb3lm
