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
// Of tanh x, for x^3 to x^21: up to |x| = kSeriesTo the rest is below 2^-58 of the result.
constexpr double kSeriesTo = 0.25;
constexpr std::array kTanhSeries = {
    -1.0 / 3,
    2.0 / 15,
    -17.0 / 315,
    62.0 / 2835,
    -1382.0 / 155925,
    21844.0 / 6081075,
    -929569.0 / 638512875,
    6404582.0 / 10854718875,
    -443861162.0 / 1856156927625,
    18888466084.0 / 194896477400625,
};

Expr<Num> series(const Var<Num>& r) {
  double factorial = 6227020800.0;  // 13!
  Expr<Num> sum = 1 / factorial;
  for (int power = 12; power >= 2; --power) {
    factorial /= power + 1;
    sum = std::move(sum) * r + 1 / factorial;
  }
  return sum;
}

Expr<Num> tanh_series(const Var<Num>& square) {
  Expr<Num> sum = kTanhSeries.back();
  for (std::size_t i = kTanhSeries.size() - 1; i-- > 0;) {
    sum = std::move(sum) * square + kTanhSeries[i];
  }
  return sum;
}

Expr<Num> nearest_power(const Var<Num>& x) {
  return floor(x * kLog2e + 0.5);
}
Expr<Num> rest(const Var<Num>& x, const Var<Num>& n) {
  return (x - n * kLn2High) - n * kLn2Low;
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
    s.set(n, nearest_power(x));
    s.set(half, floor(n * 0.5));
    s.set(r, rest(x, n));
    s.set(w.exp, ((1 + (r + r * r * series(r))) * powers[half + (kHalfPowers + 1)]) *
                     powers[n - half + (kHalfPowers + 1)]);
  });
  return {prepare, exp, powers, kHalfPowers + 1};
}

// Near zero the Taylor series, x + x^3 (c1 + c2 x^2 + ...); further out, with p = e^r - 1 for r and
// n of 2|x|, t = e^(2|x|) - 1 = 2^n p + (2^n - 1) and tanh |x| = t / (t + 2).
Proc<Num> emit_tanh(Sprite& engine, const Workspace& w, const ExpBlocks& exp) {
  const auto local = [&](const char* what) {
    return engine.var<Num>(std::string("_tanh ") + what);
  };
  const auto x = local("x"), n = local("n"), r = local("r"), power = local("power");
  return engine.define<Num>("tanh", {"x"}, [&](Script& s, Arg<Num> arg) {
    s.set(w.exp, arg + 0);
    s.set(x, abs(w.exp) * 2);
    s.when_else(
        x < 2 * kSeriesTo,
        [&](Script& s) {
          s.set(x, w.exp * w.exp);
          s.set(w.exp, w.exp + w.exp * x * tanh_series(x));
        },
        [&](Script& s) {
          s.when(x > 40, [&](Script& s) { s.set(x, 40); });  // 1 from here on
          s.set(n, nearest_power(x));
          s.set(r, rest(x, n));
          s.set(power, exp.powers[n + exp.one_at] + 0);
          s.set(r, (r + r * r * series(r)) * power + (power - 1));
          s.set(r, r / (r + 2));
          s.when_else(
              w.exp < 0, [&](Script& s) { s.set(w.exp, 0 - r); },
              [&](Script& s) { s.set(w.exp, r + 0); });
        });
  });
}

}  // namespace sb3lm
