// e^x from operations that IEEE 754 pins down, so that every browser computes the same bits:
// x = n ln 2 + r with |r| <= ln 2 / 2, e^x = 2^n (1 + (r + r^2 q(r))), q the Taylor series of
// (e^r - 1 - r) / r^2 up to r^11 (the rest is below 2^-57). 2^n is split in two factors so that
// overflow and subnormal results come out right.
#include <array>

#include "kernels/kernels.h"

namespace sb3lm {
namespace {

using namespace blocks;

constexpr int kHalfPowers = 538;  // powers 2^-538 .. 2^538; two of them cover every n
constexpr double kLog2e = 1.4426950408889634;
// ln 2 in two parts: the first has 32 bits, so n times it is exact.
constexpr double kLn2High = 6.93147180369123816490e-01;
constexpr double kLn2Low = 1.90821492927058770002e-10;

Expr<Num> series(const Var<Num>& r) {
  double factorial = 6227020800.0;  // 13!
  Expr<Num> sum = 1 / factorial;
  for (int power = 12; power >= 2; --power) {
    factorial /= power + 1;
    sum = std::move(sum) * r + 1 / factorial;
  }
  return sum;
}

}  // namespace

ExpBlocks emit_exp(Sprite& engine, const Workspace& w) {
  const auto powers = engine.list<Num>("_powers");
  const auto x = engine.var<Num>("_exp x"), n = engine.var<Num>("_exp n"),
             r = engine.var<Num>("_exp r"), half = engine.var<Num>("_exp half");
  const auto prepare = engine.define<>("prepare exp", {}, [&](Script& s) {
    s.clear(powers);
    s.set(r, 1);
    s.repeat(kHalfPowers, [&](Script& s) { s.set(r, r * 0.5); });
    s.repeat(2 * kHalfPowers + 1, [&](Script& s) {
      s.append(powers, r + 0);
      s.set(r, r * 2);
    });
  });
  const auto exp = engine.define<Num>("exp", {"x"}, [&](Script& s, Arg<Num> arg) {
    s.set(x, arg + 0);
    s.when(x > 710, [&](Script& s) { s.set(x, 710); });    // infinity from here on
    s.when(x < -746, [&](Script& s) { s.set(x, -746); });  // zero from here on
    s.set(n, floor(x * kLog2e + 0.5));
    s.set(half, floor(n * 0.5));
    s.set(r, (x - n * kLn2High) - n * kLn2Low);
    s.set(w.exp, ((1 + (r + r * r * series(r))) * powers[half + (kHalfPowers + 1)]) *
                     powers[n - half + (kHalfPowers + 1)]);
  });
  return {prepare, exp, powers, kHalfPowers + 1};
}

}  // namespace sb3lm
