#include "lower/watch.h"

namespace sb3lm {

using namespace blocks;

namespace {

constexpr double kPulseSeconds = 0.2;
constexpr double kSilentSeconds = 1;  // before the hat looks
// A token of vanilla Scratch may hold up everything for seconds. Every wait, however short, lets
// the pulse have its turn; together they are longer than a pulse.
constexpr int kTurns = 4;
constexpr double kTurnSeconds = 0.1;
constexpr double kNever = 1e9;
// A pulse older than this is from before the project was saved: nothing runs before the flag.
constexpr double kSavedSeconds = 60, kSecondsPerDay = 86400;

}  // namespace

void emit_watch(Sprite& engine, const StageNames& stage, const Requests& requests) {
  const auto pulse = engine.var<Num>("_pulse"), seen = engine.var<Num>("_pulse seen"),
             alarm = engine.var<Num>("_alarm", kNever);
  engine.when_received(kPulse, [&](Script& s) {
    s.forever([&](Script& s) {
      s.set(alarm, timer() + kSilentSeconds);
      s.set(pulse, days_since_2000());
      s.wait(kPulseSeconds);
    });
  });
  // The hat starts its script when "no" becomes "yes". Every other half second the answer is no, so
  // that it starts again and again: the stop sign may end the script, too.
  engine.when_timer_over(alarm + mod(floor(timer() * 2), 2) * kNever, [&](Script& s) {
    s.when((days_since_2000() - pulse) * kSecondsPerDay < kSavedSeconds,
           [&](Script& s) { s.broadcast(kWatch); });
  });
  engine.add_broadcast(kWakeMessage);
  engine.when_received(kWatch, [&](Script& s) {
    s.set(seen, pulse);
    s.repeat(kTurns, [&](Script& s) { s.wait(kTurnSeconds); });
    s.when(pulse == seen, [&](Script& s) {
      s.broadcast(kWakeMessage);
      s.when_else(
          requests.is(Doing::resting) || requests.is(Doing::serving),
          [&](Script& s) { s.broadcast(kServe); },
          [&](Script& s) {
            s.when(!requests.is(Doing::nothing),
                   [&](Script& s) { s.set(stage.status, "click the green flag"); });
            requests.forget(s);
            requests.set(s, Doing::nothing);
          });
    });
  });
}

}  // namespace sb3lm
