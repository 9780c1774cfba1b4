#include "kernels/bend.h"

#include <array>
#include <cmath>
#include <numbers>

namespace sb3lm {

using namespace blocks;

namespace {

// x Phi(x) = max(x, 0) - |x| (1 - Phi(|x|)), Phi the normal distribution: nothing cancels.
// 1 - Phi(y) = e^(-y^2 / 2) q(u) with u = (y - kHalfWay) / (y + kHalfWay), from -1 to 1 for all y
// from 0 on, and q smooth there: the Chebyshev series of degree 22, as powers of u. Left out is
// less than 5e-18.
constexpr double kHalfWay = 6;
constexpr std::array kTail = {
    0.06477931432444685,     -0.12319673345701898,    0.10583149345047194,
    -0.08190603979919751,    0.056823152634713936,    -0.035054539825527954,
    0.018987678978859418,    -0.008846435931072769,   0.0034179280017982445,
    -0.001013452157360011,   0.0001803729970763962,   1.2374218684534633e-05,
    -2.0509593893457266e-05, 5.485562865368812e-06,   4.772754235838124e-07,
    -7.161726796871069e-07,  1.1331216538117206e-07,  6.141305504145592e-08,
    -2.434110164493981e-08,  -4.014656951785988e-09,  3.208788233048691e-09,
    1.6290892680042682e-10,  -2.4874888354394503e-10,
};

Expr<Num> tail(const Var<Num>& u) {
  Expr<Num> sum = kTail.back();
  for (std::size_t i = kTail.size() - 1; i-- > 0;) sum = std::move(sum) * u + kTail[i];
  return sum;
}

}  // namespace

Bend::Bend(Sprite& engine, const Workspace& w, const ExpBlocks& exp, Activation activation,
           const std::string& name)
    : w_(w), exp_(exp), activation_(activation) {
  if (activation != Activation::gelu) return;
  size_ = engine.var<Num>("_" + name + " size");
  place_ = engine.var<Num>("_" + name + " place");
}

Expr<Num> Bend::operator()(Script& s, const Var<Num>& x) const {
  switch (activation_) {
    case Activation::silu:
      s.call(exp_.exp, 0 - x);
      return x / (1 + w_.exp);
    case Activation::relu2:
      s.when(x < 0, [&](Script& s) { s.set(x, 0); });
      return x * x;
    case Activation::leaky_relu2:
      s.when(x < 0, [&](Script& s) { s.set(x, x / 2); });
      return x * x;
    case Activation::relu:
      s.when(x < 0, [&](Script& s) { s.set(x, 0); });
      return x + 0;
    case Activation::gelu:
      return gelu(s, x);
    case Activation::gelu_tanh:  // (1 + tanh y) / 2 = 1 / (1 + e^(-2y))
      s.call(exp_.exp, (x + x * x * x * 0.044715) * (-2 * std::sqrt(2 / std::numbers::pi)));
      return x / (1 + w_.exp);
  }
  return 0;
}

Expr<Num> Bend::gelu(Script& s, const Var<Num>& x) const {
  s.call(exp_.exp, x * x * -0.5);
  s.set(*size_, abs(x));
  s.set(*place_, (*size_ - kHalfWay) / (*size_ + kHalfWay));
  return (x + *size_) * 0.5 - *size_ * w_.exp * tail(*place_);
}

}  // namespace sb3lm
