// Which experts run, and with what weight.
#include "kernels/kernels.h"

namespace sb3lm {

using namespace blocks;

Proc<Num, Num> emit_router(Sprite& engine, const Workspace& w, const ExpBlocks& exp,
                           const RouteWith& with, const std::string& name) {
  const auto local = [&](const char* what) {
    return engine.var<Num>("_route " + name + " " + what);
  };
  const auto e = local("expert"), best = local("best"), best_at = local("best at"),
             top = local("max"), total = local("sum"), first = local("first"), to = local("to");
  const int experts = with.experts;
  // Weights start as 0 for "not chosen" and 1 for "chosen"; the logits of chosen ones stay.
  const auto choose_one = [&](Script& s) {
    s.set(best_at, -1);
    s.set(e, 0);
    s.repeat(experts, [&](Script& s) {
      s.when(w.act[to + e] == 0, [&](Script& s) {
        // Strictly greater: among equals the lower index stays.
        s.when(best_at == -1 || w.act[first + e] > best, [&](Script& s) {
          s.set(best, w.act[first + e] + 0);
          s.set(best_at, e + 0);
        });
      });
      s.change(e, 1);
    });
    s.replace(w.act, to + best_at, 1);
  };
  const auto weigh = [&](Script& s) {
    s.call(exp.exp, w.act[first + e] - top);
    if (with.norm == RouterNorm::all) {
      s.change(total, w.exp + 0);
      s.replace(w.act, to + e, w.act[to + e] * w.exp);
    } else {
      s.when(w.act[to + e] == 1, [&](Script& s) {
        s.change(total, w.exp + 0);
        s.replace(w.act, to + e, w.exp + 0);
      });
    }
    s.change(e, 1);
  };
  return engine.define<Num, Num>("route " + name, {"logits at", "weights at"},
                                 [&](Script& s, Arg<Num> logits_at, Arg<Num> weights_at) {
                                   s.set(first, logits_at + 0);
                                   s.set(to, weights_at + 0);
                                   s.set(e, 0);
                                   s.repeat(experts, [&](Script& s) {
                                     s.replace(w.act, to + e, 0);
                                     s.change(e, 1);
                                   });
                                   s.repeat(1, choose_one);
                                   s.set(top, best + 0);  // the largest of all: exp never overflows
                                   if (with.top_k > 1) s.repeat(with.top_k - 1, choose_one);
                                   s.set(total, 0);
                                   s.set(e, 0);
                                   s.repeat(experts, weigh);
                                   s.set(e, 0);
                                   s.repeat(experts, [&](Script& s) {
                                     s.replace(w.act, to + e, w.act[to + e] / total);
                                     s.change(e, 1);
                                   });
                                 });
}

}  // namespace sb3lm
