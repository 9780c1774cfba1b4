// The functions of the engine that judges, from + - * / and square roots alone: the same bits on
// every machine, and nearer to the true values than the library's. Nothing of theirs comes from the
// blocks' polynomials. tests/maths holds them against exact arithmetic. An ulp is the distance to
// the next double.
#pragma once

namespace sb3lm::maths {

/// e^x, within 0.51 ulp where it is a normal double, 1 ulp below; infinity from 709.79, NaN for
/// NaN.
double exp(double x);

/// Natural logarithm of a positive, finite x, within 0.501 ulp; NaN for others.
double log(double x);

/// base^exponent for a positive, finite base, within 0.501 ulp, while the result is a normal
/// double.
double pow(double base, double exponent);

/// Each within 0.501 ulp for |x| up to 2^20.
double sin(double x);
double cos(double x);

/// Within 0.501 ulp for |x| up to 0.5, 1.5 ulp above.
double tanh(double x);

/// 1 - erf(x), within 3 ulp where it is a normal double.
double erfc(double x);

}  // namespace sb3lm::maths
