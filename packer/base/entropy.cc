#include "base/entropy.h"

#include <algorithm>
#include <array>
#include <bit>

#include "base/portable_math.h"

namespace sb3lm {
namespace {

// Runs of equal values in a sorted copy; there are far fewer values than patterns.
template <class T>
double entropy_of_sorted(std::vector<T> values) {
  std::sort(values.begin(), values.end());
  std::vector<std::uint64_t> counts;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i == 0 || values[i] != values[i - 1]) counts.push_back(0);
    ++counts.back();
  }
  return entropy_bits(counts);
}

}  // namespace

double entropy_bits(std::span<const std::uint64_t> counts) {
  double total = 0, sum = 0;
  for (const std::uint64_t count : counts) {
    if (count == 0) continue;
    const auto times = static_cast<double>(count);
    total += times;
    sum += times * portable::log2(times);
  }
  return total == 0 ? 0 : std::max(0.0, total * portable::log2(total) - sum);
}

double entropy_bits_of_bytes(std::span<const std::uint8_t> bytes) {
  // Four histograms, so that equal neighbours do not wait for each other's counter.
  constexpr std::size_t kWays = 4;
  std::array<std::array<std::uint64_t, 256>, kWays> counts{};
  std::size_t i = 0;
  for (; i + kWays <= bytes.size(); i += kWays) {
    for (std::size_t way = 0; way < kWays; ++way) ++counts[way][bytes[i + way]];
  }
  for (; i < bytes.size(); ++i) ++counts[0][bytes[i]];
  for (std::size_t way = 1; way < kWays; ++way) {
    for (std::size_t value = 0; value < 256; ++value) counts[0][value] += counts[way][value];
  }
  return entropy_bits(counts[0]);
}

double entropy_bits_of_halves(std::span<const std::uint16_t> halves) {
  return entropy_of_sorted(std::vector(halves.begin(), halves.end()));
}

double entropy_bits_of_floats(std::span<const float> values) {
  std::vector<std::uint32_t> patterns;
  patterns.reserve(values.size());
  for (const float value : values) patterns.push_back(std::bit_cast<std::uint32_t>(value));
  return entropy_of_sorted(std::move(patterns));
}

}  // namespace sb3lm
