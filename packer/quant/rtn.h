// Float weights to codes by rounding to the nearest level, one binary16 scale per row.
#pragma once

#include <functional>

#include "model/model.h"

namespace sb3lm {

/// 1 bit: sign, scale mean |w|. 2 to 8 bits: of the scales max |w| / (2^(bits-1) - 1) times factors
/// of at most 1, the one with the least squared error: a smaller step is worth some clipped
/// weights. All 2^bits levels may occur. Rows of zeros get scale 0.
CodedTensor quantise_rows(const FloatTensor& tensor, int bits);

/// Throws bad_input if the row scales that these codes take are none that binary16 holds: beyond
/// its range, or so small that it has fewer than 8 bits for the largest of them.
void require_scales(const TensorKey& key, const FloatTensor& tensor, int bits);

/// What codes stand for, exactly.
FloatTensor floats_of(const CodedTensor& tensor);

/// The same weights with fewer bits, from what the codes stand for.
CodedTensor requantise_rows(const CodedTensor& tensor, int bits);

/// One matrix as codes.
using QuantiseMatrix = std::function<CodedTensor(const TensorKey&, const FloatTensor&, int bits)>;

/// Every float matrix (not norms and routers) of the model as codes of `bits`; tensors that are
/// coded already pass through untouched. Norms and routers become binary16 if they fit its range.
/// Returns how far the matrices' weights moved: root mean square, as a share of theirs.
double quantise_matrices(Model& model, int bits, const QuantiseMatrix& quantise);
double quantise_matrices(Model& model, int bits);  // by quantise_rows

}  // namespace sb3lm
