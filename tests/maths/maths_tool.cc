// What our own arithmetic gives, for oracle_test.py: lines of "function argument... value...", all
// numbers in hexadecimal or whole, so that nothing is rounded on the way.
#include <fmt/core.h>

#include <bit>
#include <cmath>
#include <cstdint>

#include "base/portable_math.h"
#include "kernels/rope_constants.h"
#include "runtime_ref/maths.h"

namespace {

using namespace sb3lm;

void print_rope() {
  for (const double base : {100.0, 1e4, 1e5, 5e5, 1e6, 4e4 / 3}) {
    for (int dims = 2; dims <= 256; dims += 2) {
      for (const int doublings : {0, 6}) {
        const RopeConstants all = rope_constants({.base = base, .dims = dims}, doublings);
        for (std::size_t j = 0; j < all.cosine.size(); ++j) {
          fmt::print("rope {:a} {} {} {} {:a} {:a}\n", base, dims, j, 1 << doublings, all.cosine[j],
                     all.sine[j]);
        }
      }
    }
  }
}

// As Llama 3.2 has it, and others.
void print_scaled() {
  for (const double base : {1e4, 5e5}) {
    for (const double factor : {2.0, 32.0, 1.7}) {
      for (const double low : {1.0, 0.3}) {
        for (const int doublings : {0, 6}) {
          const RopeSpec rope{.base = base,
                              .dims = 64,
                              .scaling = RopeScaling::llama3,
                              .scaling_factor = factor,
                              .low_frequency = low,
                              .original_positions = 8192};
          const RopeConstants all = rope_constants(rope, doublings);
          for (std::size_t j = 0; j < all.cosine.size(); ++j) {
            fmt::print("scaled {:a} {} {} {} {:a} {:a} {:a} {} {:a} {:a}\n", base, rope.dims, j,
                       1 << doublings, factor, low, rope.high_frequency, rope.original_positions,
                       all.cosine[j], all.sine[j]);
          }
        }
      }
    }
  }
}

std::uint64_t next_bits(std::uint64_t& state) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return state >> 11;
}

void print_functions() {
  std::uint64_t state = 1;
  for (int i = 0; i < 8000; ++i) {
    const double share = std::ldexp(static_cast<double>(next_bits(state)), -53);
    const portable::Turn turn = portable::turn(share);
    const double power = 1454 * share - 745, near = 1 + (share - 0.5) / 64;
    fmt::print("turn {:a} {:a} {:a}\n", share, turn.cosine, turn.sine);
    fmt::print("exp {:a} {:a}\n", power, portable::exp(power));
    fmt::print("exp {:a} {:a}\n", share - 0.5, portable::exp(share - 0.5));
    for (const double x : {near, share + std::ldexp(1, -60), std::ldexp(near, i % 2000 - 1000)}) {
      fmt::print("log {:a} {:a}\nlog2 {:a} {:a}\n", x, portable::log(x), x, portable::log2(x));
    }
  }
}

// The engine's.
void print_maths() {
  std::uint64_t state = 2;
  for (int i = 0; i < 6000; ++i) {
    const double share = std::ldexp(static_cast<double>(next_bits(state)), -53);
    const double power = 1417 * share - 708, near = (share - 0.5) * std::ldexp(1, -(i % 40));
    const double angle = share * std::ldexp(1, i % 21), base = 1e6 * share + 2;
    const double exponent = -static_cast<double>(i % 64) / 64;
    for (const double x : {power, near}) fmt::print("maths::exp {:a} {:a}\n", x, maths::exp(x));
    for (const double x : {1 + near, std::ldexp(share, i % 2000 - 1000)}) {
      fmt::print("maths::log {:a} {:a}\n", x, maths::log(x));
    }
    for (const double x : {angle, -angle, near}) {
      fmt::print("maths::sin {:a} {:a}\nmaths::cos {:a} {:a}\n", x, maths::sin(x), x,
                 maths::cos(x));
    }
    fmt::print("maths::pow {:a} {:a} {:a}\n", base, exponent, maths::pow(base, exponent));
    for (const double x : {near, 24 * share - 12}) {
      fmt::print("maths::{} {:a} {:a}\n", std::abs(x) > 0.5 ? "tanh" : "tanh_near_0", x,
                 maths::tanh(x));
    }
    for (const double x : {near, 12 * share - 6, 26 * share}) {
      fmt::print("maths::erfc {:a} {:a}\n", x, maths::erfc(x));
    }
  }
}

}  // namespace

int main() {
  print_rope();
  print_scaled();
  print_functions();
  print_maths();
}
