#include "base/vectors.h"

#include <cstring>

namespace sb3lm {
namespace {

constexpr std::size_t kLanes = 8;

[[gnu::always_inline]] inline void add_scaled_loop(double* __restrict y, double factor,
                                                   const double* __restrict x, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) y[i] += factor * x[i];
}

template <std::size_t kWidth>
using Vector [[gnu::vector_size(kWidth * sizeof(double))]] = double;

/// kWidth: doubles that a register holds.
template <std::size_t kWidth>
[[gnu::always_inline]] inline double dot_loop(const double* a, const double* b, std::size_t size) {
  Vector<kWidth> sums[kLanes / kWidth] = {};
  const std::size_t whole = size - size % kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes) {
    for (std::size_t part = 0; part < kLanes / kWidth; ++part) {
      Vector<kWidth> left, right;
      std::memcpy(&left, a + i + part * kWidth, sizeof left);
      std::memcpy(&right, b + i + part * kWidth, sizeof right);
      sums[part] += left * right;
    }
  }
  double lanes[kLanes], sum = 0;
  std::memcpy(lanes, sums, sizeof lanes);
  for (std::size_t i = whole; i < size; ++i) lanes[i - whole] += a[i] * b[i];
  for (const double lane : lanes) sum += lane;
  return sum;
}

struct Loops {
  void (*add_scaled)(double*, double, const double*, std::size_t);
  double (*dot)(const double*, const double*, std::size_t);
};

void add_scaled_plain(double* y, double factor, const double* x, std::size_t size) {
  add_scaled_loop(y, factor, x, size);
}
double dot_plain(const double* a, const double* b, std::size_t size) {
  return dot_loop<2>(a, b, size);
}

#if defined(__x86_64__)

[[gnu::target("avx2")]] void add_scaled_avx2(double* y, double factor, const double* x,
                                             std::size_t size) {
  add_scaled_loop(y, factor, x, size);
}
[[gnu::target("avx2")]] double dot_avx2(const double* a, const double* b, std::size_t size) {
  return dot_loop<4>(a, b, size);
}

Loops chosen() {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2")) return {add_scaled_avx2, dot_avx2};
  return {add_scaled_plain, dot_plain};
}

#else

Loops chosen() {
  return {add_scaled_plain, dot_plain};
}

#endif

const Loops& loops() {
  static const Loops kLoops = chosen();
  return kLoops;
}

}  // namespace

void add_scaled(double* y, double factor, const double* x, std::size_t size) {
  loops().add_scaled(y, factor, x, size);
}

double dot(const double* a, const double* b, std::size_t size) {
  return loops().dot(a, b, size);
}

}  // namespace sb3lm
