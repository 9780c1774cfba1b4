// Elementary functions from + - * / alone, where bytes of a file depend on the result: those of the
// maths libraries differ from system to system. tests/maths holds them against exact values. An ulp
// is the distance to the next double.
#pragma once

namespace sb3lm::portable {

/// e^x, within 2 ulp; infinity from 709.79, zero below -745.14, NaN for NaN.
double exp(double x);

/// Natural logarithm of a positive, finite x, within 3 ulp; NaN for others.
double log(double x);

/// Logarithm to base 2, within 4 ulp, and exact for powers of 2; NaN as above.
double log2(double x);

struct Turn {
  double cosine, sine;
};

/// cos and sin of 2 pi x for a whole number of 2^-53 from 0 to 1, each within 3 ulp.
Turn turn(double x);

/// cos and sin of an angle up to 2^20 radians, each within 2^-51.
Turn turn_by(double radians);

}  // namespace sb3lm::portable
