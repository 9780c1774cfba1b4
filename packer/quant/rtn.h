// Float weights to codes by rounding to the nearest level, one binary16 scale per row.
#pragma once

#include "model/model.h"

namespace sb3lm {

/// 1 bit: scale mean |w|, sign. 2 to 8 bits: scale max |w| / (2^(bits-1) - 1), symmetric levels.
/// Rows of zeros get scale 0.
CodedTensor quantise_rows(const FloatTensor& tensor, int bits);

/// Every float matrix (not norms and routers) of the model as codes of `bits`; tensors that are
/// coded already pass through untouched.
void quantise_matrices(Model& model, int bits);

}  // namespace sb3lm
