#include "synth/random.h"

#include <bit>
#include <cmath>

#include "base/portable_math.h"

namespace sb3lm {
namespace {

/// splitmix64 (Vigna, public domain algorithm): spreads a seed over the state.
std::uint64_t split_mix(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15u;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

}  // namespace

Random::Random(std::uint64_t seed) {
  for (std::uint64_t& word : state_) word = split_mix(seed);
}

/// xoshiro256** (Blackman and Vigna, public domain algorithm).
std::uint64_t Random::bits() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double Random::uniform() {
  return std::ldexp(static_cast<double>((bits() >> 11) + 1), -53);
}

/// Box-Muller: two normal numbers per two uniform ones.
double Random::normal() {
  if (has_spare_) {
    has_spare_ = false;
    return spare_;
  }
  const double radius = std::sqrt(-2 * portable::log(uniform()));
  const portable::Turn angle = portable::turn(uniform());
  spare_ = radius * angle.sine;
  has_spare_ = true;
  return radius * angle.cosine;
}

double Random::student5() {
  // Chi-square with 5 degrees of freedom: two exponentials (2 each) and one squared normal.
  const double extra = normal();
  const double chi_square = -2 * portable::log(uniform() * uniform()) + extra * extra;
  return normal() / std::sqrt(chi_square / 5) / std::sqrt(5.0 / 3.0);
}

Random random_for(std::uint64_t seed, const TensorKey& key) {
  std::uint64_t mixed = seed;
  for (const int part : {static_cast<int>(key.role), key.layer, key.expert}) {
    mixed = split_mix(mixed) ^ static_cast<std::uint64_t>(part + 1);
  }
  return Random(mixed);
}

}  // namespace sb3lm
