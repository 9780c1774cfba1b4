// Zeroth-order entropy: the fewest bits that a code for single values could need.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sb3lm {

/// Of all values together, in bits, from how often each occurs.
double entropy_bits(std::span<const std::uint64_t> counts);

/// Of bytes, such as unpacked weight codes.
double entropy_bits_of_bytes(std::span<const std::uint8_t> bytes);

/// Of binary16 bit patterns, such as row scales.
double entropy_bits_of_halves(std::span<const std::uint16_t> halves);

/// Of numbers by their bit patterns.
double entropy_bits_of_floats(std::span<const float> values);

}  // namespace sb3lm
