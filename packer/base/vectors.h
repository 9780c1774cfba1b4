// Loops over doubles that take most of the time of rounding and of the double engine, compiled for
// what processors can do. Products are rounded before they are added, so all of them give the same
// bits.
#pragma once

#include <cstddef>

namespace sb3lm {

/// y[i] += factor * x[i] for i < size. They may not overlap.
void add_scaled(double* y, double factor, const double* x, std::size_t size);

/// Sum of a[i] b[i] for i < size. Eight partial sums, number j over i = j, j + 8, j + 16, ...,
/// added in the order 0 to 7 at the end: fixed on every machine, and several times faster than one
/// chain of additions.
double dot(const double* a, const double* b, std::size_t size);

}  // namespace sb3lm
