#include "lower/warmup.h"

#include <optional>

namespace sb3lm {

using namespace blocks;

namespace {

// A compiling VM turns an empty loop at least 20,000 times a millisecond even before its optimiser
// has looked at it, an interpreting one about 1,000 times (docs/costs.md):
// between them lies room for slow and fast machines. Timing the tuned forms themselves would be
// misled by a cold compiler.
constexpr int kLoopTurns = 1000;
constexpr double kBoxMs = 20;
constexpr double kCompiledTurnsPerMs = 8000;

// TurboWarp is at full speed after about nine tokens; a VM whose second token is not
// much faster than the first does not warm up at all.
constexpr int kWarmTokens = 12;
constexpr double kWarmMs = 2500;
constexpr double kNoGain = 0.7;

// Sets Workspace::compiled.
Proc<> emit_choice(Sprite& engine, const Workspace& w) {
  const auto start = engine.var<Num>("_choose start"), turns = engine.var<Num>("_choose turns");
  return engine.define<>("choose form", {}, [&](Script& s) {
    s.set(turns, 0);
    s.set(start, milliseconds());
    s.repeat_until(milliseconds() - start > kBoxMs, [&](Script& s) {
      s.repeat(kLoopTurns, [&](Script& s) { s.change(turns, 1); });
    });
    s.set(w.compiled, 0);
    s.when(turns > kBoxMs * kCompiledTurnsPerMs, [&](Script& s) { s.set(w.compiled, 1); });
  });
}

// Tokens until the compiler has settled, one per frame.
Proc<> emit_tokens(Sprite& engine, const StageNames& stage, const ForwardBlocks& forward,
                   const SampleBlocks& sample) {
  const auto local = [&](const char* what) {
    return engine.var<Num>(std::string("_warm ") + what);
  };
  const auto start = local("start"), count = local("count"), first = local("first"),
             last = local("last"), began = local("began");
  const auto token = engine.define<>("warm token", {}, [&](Script& s) {
    s.set(start, milliseconds());
    s.call(*forward.token, 0);
    s.call(forward.head);
    s.call(sample.pick);
    s.set(last, milliseconds() - start);
  });
  return engine.define_yielding<>("warm tokens", {}, [&](Script& s) {
    s.set(stage.status, "warming up");
    s.set(began, milliseconds());
    s.call(token);
    s.set(first, last + 0);
    s.set(count, 1);
    s.repeat_until(count == kWarmTokens || milliseconds() - began > kWarmMs, [&](Script& s) {
      s.call(token);
      s.change(count, 1);
      s.when(count == 2 && last > first * kNoGain, [&](Script& s) { s.set(count, kWarmTokens); });
    });
    s.set(stage.seconds_per_token, last / 1000);
  });
}

}  // namespace

Proc<> emit_warmup(Sprite& engine, const Workspace& w, const StageNames& stage,
                   const ForwardBlocks& forward, const SampleBlocks& sample) {
  std::optional<Proc<>> choose, tokens;
  if (w.tune == Tune::both) choose = emit_choice(engine, w);
  if (w.tune != Tune::scratch) tokens = emit_tokens(engine, stage, forward, sample);
  const auto start = engine.var<Num>("_step start");
  const auto measure = [&](Script& s) {
    s.set(stage.status, "warming up");
    s.set(start, milliseconds());
    s.call(*forward.token_in_steps, 0, 1);
    s.call(forward.head);
    s.set(stage.seconds_per_token, (milliseconds() - start) / 1000);
  };
  return engine.define_yielding<>("warm up", {}, [&](Script& s) {
    s.set(w.position, 0);
    if (choose) s.call(*choose);
    if (tokens) s.set(stage.compiled, w.compiled);
    if (tokens && forward.token_in_steps) {
      s.when_else(
          w.compiled == 1, [&](Script& s) { s.call(*tokens); }, measure);
    } else if (tokens) {
      s.call(*tokens);
    } else {
      measure(s);
    }
    s.set(w.position, 0);
  });
}

}  // namespace sb3lm
