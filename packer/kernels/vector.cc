// Element-wise kernels: RMSNorm, scaled addition, activations.
#include "kernels/bend.h"
#include "kernels/kernels.h"
#include "model/spec_fields.h"

namespace sb3lm {

using namespace blocks;

namespace {

constexpr int kNormTurn = 4;  // items of a loop turn

// acc = factor / sqrt(mean(x^2) + eps), of the items from `in_at`.
void set_reciprocal_root(Script& s, const Workspace& w, Expr<Num> in_at, int width, double eps,
                         double factor, const Var<Num>& in, const Var<Num>& acc) {
  const int unroll = w.small ? 1 : largest_divisor(width, kNormTurn);
  s.set(in, std::move(in_at));
  s.set(acc, 0);
  s.repeat(width / unroll, [&](Script& s) {
    s.set(acc, acc + unrolled_sum(unroll, [&](int k) { return w.act[in + k] * w.act[in + k]; }));
    s.change(in, unroll);
  });
  s.set(acc, factor / sqrt(acc / width + eps));
}

}  // namespace

Proc<Num, Num, Num> emit_rmsnorm(Sprite& engine, const Workspace& w, int width, double eps,
                                 const std::string& name, double factor) {
  const auto local = [&](const char* what) { return engine.var<Num>("_" + name + " " + what); };
  const auto in = local("in"), out = local("out"), weight = local("weight"), acc = local("acc");
  const int unroll = w.small ? 1 : largest_divisor(width, kNormTurn);
  return engine.define<Num, Num, Num>(
      name, {"in at", "weight at", "out at"},
      [&](Script& s, Arg<Num> in_at, Arg<Num> weight_at, Arg<Num> out_at) {
        set_reciprocal_root(s, w, in_at + 0, width, eps, factor, in, acc);
        s.set(in, in_at + 0);
        s.set(out, out_at + 0);
        s.set(weight, weight_at + 0);
        s.repeat(width / unroll, [&](Script& s) {
          for (int k = 0; k < unroll; ++k) {
            s.replace(w.act, out + k, (w.act[in + k] * acc) * w.scales[weight + k]);
          }
          s.change(in, unroll);
          s.change(out, unroll);
          s.change(weight, unroll);
        });
      });
}

Proc<Num, Num, Num> emit_plain_norm(Sprite& engine, const Workspace& w, int width, double eps,
                                    const std::string& name) {
  const auto local = [&](const char* what) { return engine.var<Num>("_" + name + " " + what); };
  const auto in = local("in"), out = local("out"), acc = local("acc");
  const int unroll = w.small ? 1 : largest_divisor(width, kNormTurn);
  return engine.define<Num, Num, Num>(
      name, {"in at", "factor", "out at"},
      [&](Script& s, Arg<Num> in_at, Arg<Num> factor, Arg<Num> out_at) {
        set_reciprocal_root(s, w, in_at + 0, width, eps, 1, in, acc);
        s.set(acc, acc * factor);
        s.set(in, in_at + 0);
        s.set(out, out_at + 0);
        s.repeat(width / unroll, [&](Script& s) {
          for (int k = 0; k < unroll; ++k) s.replace(w.act, out + k, w.act[in + k] * acc);
          s.change(in, unroll);
          s.change(out, unroll);
        });
      });
}

Proc<Num, Num> emit_centre(Sprite& engine, const Workspace& w, int width, const std::string& name) {
  const auto local = [&](const char* what) { return engine.var<Num>("_" + name + " " + what); };
  const auto in = local("in"), out = local("out"), mean = local("mean");
  const int unroll = w.small ? 1 : largest_divisor(width, kNormTurn);
  return engine.define<Num, Num>(
      name, {"in at", "out at"}, [&](Script& s, Arg<Num> in_at, Arg<Num> out_at) {
        s.set(in, in_at + 0);
        s.set(mean, 0);
        s.repeat(width / unroll, [&](Script& s) {
          s.set(mean, mean + unrolled_sum(unroll, [&](int k) { return w.act[in + k]; }));
          s.change(in, unroll);
        });
        s.set(mean, mean / width);
        s.set(in, in_at + 0);
        s.set(out, out_at + 0);
        s.repeat(width / unroll, [&](Script& s) {
          for (int k = 0; k < unroll; ++k) s.replace(w.act, out + k, w.act[in + k] - mean);
          s.change(in, unroll);
          s.change(out, unroll);
        });
      });
}

Proc<Num, Num, Num> emit_scale(Sprite& engine, const Workspace& w) {
  const auto by = engine.var<Num>("_scale by"), at = engine.var<Num>("_scale at");
  return engine.define<Num, Num, Num>(
      "scale", {"factor", "at", "count"},
      [&](Script& s, Arg<Num> factor, Arg<Num> first, Arg<Num> count) {
        s.set(by, factor + 0);
        s.set(at, first + 0);
        s.repeat(count, [&](Script& s) {
          s.replace(w.act, at, w.act[at] * by);
          s.change(at, 1);
        });
      });
}

CapProc emit_cap(Sprite& engine, const Workspace& w, const Proc<Num>& tanh, double cap,
                 const std::string& name) {
  const auto at = engine.var<Num>("_" + name + " at");
  return engine.define<Num, Num>(name, {"first", "count"},
                                 [&](Script& s, Arg<Num> first, Arg<Num> count) {
                                   s.set(at, first + 0);
                                   s.repeat(count, [&](Script& s) {
                                     s.call(tanh, w.act[at + 0] / cap);
                                     s.replace(w.act, at + 0, w.exp * cap);
                                     s.change(at, 1);
                                   });
                                 });
}

AddProc emit_add(Sprite& engine, const Workspace& w) {
  const auto from = engine.var<Num>("_add from"), to = engine.var<Num>("_add to"),
             by = engine.var<Num>("_add by");
  return engine.define<Num, Num, Num, Num>(
      "add", {"from at", "factor", "to at", "count"},
      [&](Script& s, Arg<Num> from_at, Arg<Num> factor, Arg<Num> to_at, Arg<Num> count) {
        s.set(from, from_at + 0);
        s.set(to, to_at + 0);
        s.set(by, factor + 0);
        s.repeat(count, [&](Script& s) {
          s.replace(w.act, to, w.act[to] + by * w.act[from]);
          s.change(from, 1);
          s.change(to, 1);
        });
      });
}

Proc<Num, Num, Num> emit_add_numbers(Sprite& engine, const Workspace& w) {
  const auto from = engine.var<Num>("_numbers from"), to = engine.var<Num>("_numbers to");
  return engine.define<Num, Num, Num>(
      "add numbers", {"numbers at", "to at", "count"},
      [&](Script& s, Arg<Num> numbers_at, Arg<Num> to_at, Arg<Num> count) {
        s.set(from, numbers_at + 0);
        s.set(to, to_at + 0);
        s.repeat(count, [&](Script& s) {
          s.replace(w.act, to, w.act[to] + w.scales[from]);
          s.change(from, 1);
          s.change(to, 1);
        });
      });
}

Proc<Num, Num, Num> emit_gate(Sprite& engine, const Workspace& w, const ExpBlocks& exp,
                              Activation activation) {
  const std::string name =
      activation == Activation::silu ? "swiglu" : fmt::format("{} gate", enum_name(activation));
  const auto local = [&](const char* what) { return engine.var<Num>("_" + name + " " + what); };
  const auto gate = local("gate"), up = local("up"), x = local("x");
  const Bend bend(engine, w, exp, activation, name);
  return engine.define<Num, Num, Num>(
      name, {"gate at", "up at", "count"},
      [&](Script& s, Arg<Num> gate_at, Arg<Num> up_at, Arg<Num> count) {
        s.set(gate, gate_at + 0);
        s.set(up, up_at + 0);
        s.repeat(count, [&](Script& s) {
          s.set(x, w.act[gate] + 0);
          Expr<Num> bent = bend(s, x);
          s.replace(w.act, gate, std::move(bent) * w.act[up]);
          s.change(gate, 1);
          s.change(up, 1);
        });
      });
}

Proc<Num, Num> emit_activate(Sprite& engine, const Workspace& w, const ExpBlocks& exp,
                             Activation activation) {
  const std::string name(enum_name(activation));
  const auto local = [&](const char* what) { return engine.var<Num>("_" + name + " " + what); };
  const auto at = local("at"), x = local("x");
  const Bend bend(engine, w, exp, activation, name);
  return engine.define<Num, Num>(name, {"at", "count"},
                                 [&](Script& s, Arg<Num> first, Arg<Num> count) {
                                   s.set(at, first + 0);
                                   s.repeat(count, [&](Script& s) {
                                     s.set(x, w.act[at] + 0);
                                     Expr<Num> bent = bend(s, x);
                                     s.replace(w.act, at, std::move(bent));
                                     s.change(at, 1);
                                   });
                                 });
}

}  // namespace sb3lm
