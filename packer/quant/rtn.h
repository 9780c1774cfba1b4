// Float weights to codes by rounding to the nearest level, one binary16 scale per row.
#pragma once

#include <functional>
#include <map>

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
FloatTensor floats_of(const Tensor& tensor);

/// The same weights with fewer bits, from what the codes stand for.
CodedTensor requantise_rows(const CodedTensor& tensor, int bits);
/// One or the other.
CodedTensor nearest_codes(const Tensor& tensor, int bits);

/// Matrices that become codes, or codes of fewer bits, and how many.
using Widths = std::map<TensorKey, int>;
/// Does that to a model.
using RoundMatrices = std::function<void(Model& model, const Widths& widths)>;

/// By nearest_codes.
void round_to_nearest(Model& model, const Widths& widths);

/// What norms and routers become with the matrices: binary16, if they fit its range.
void halve_vectors(Model& model);

/// Every float matrix of the model (not norms and routers) as codes of `bits` by quantise_rows, and
/// halve_vectors.
void quantise_matrices(Model& model, int bits);

/// How far matrices moved that were floats before and are codes after: root mean square, as a share
/// of theirs.
double moved_share(const std::map<TensorKey, Tensor>& before, const Model& after);

}  // namespace sb3lm
