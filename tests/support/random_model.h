// Random tensors and models of any shape, without going through a checkpoint.
#pragma once

#include <vector>

#include "model/model.h"
#include "synth/random.h"

namespace sb3lm::test {

/// Normal numbers.
std::vector<double> random_numbers(Random& random, std::size_t count);
/// Every code equally likely; row scales random binary16 numbers between 2^-6 and 2^-4.
CodedTensor random_codes(Random& random, Shape shape, int bits);
/// Normal numbers of the given mean and deviation, exact in `type`.
struct Spread {
  double mean = 0, deviation = 1;
};
FloatTensor random_floats(Random& random, Shape shape, FloatType type, Spread spread = {});

/// Small random weights for every tensor of `spec`: matrices take the widths of `bits` in turn (0:
/// float32), norms and routers are binary16 numbers near 1 or 0. No tokenizer.
Model random_model(const ModelSpec& spec, const std::vector<int>& bits, std::uint64_t seed);

/// Where a code's bit planes stand in the list of codes, as kernels.h has it, written out the slow
/// way: per row, planes from the most significant one, groups of 8 columns; the first column is the
/// most significant bit of byte + 256 * group + 1.
std::vector<double> table_indices(const CodedTensor& tensor);

}  // namespace sb3lm::test
