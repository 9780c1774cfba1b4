// Codes as one plain number per weight, as the naive kernel reads them (kernels/naive.h). The text
// is that of the encoding `hex`.
#pragma once

#include "quant/encoding.h"

namespace sb3lm {

/// decode(item, letter, rows, at, cols): the levels of `rows` rows to DecodeLists::codes, without
/// padding. One bit means code - 0.5, for row scales that are stored doubled.
DecodeProc emit_decode_levels(blocks::Sprite& engine, const DecodeLists& lists, int bits);

/// scale rows(unused, scale at, rows, at, cols): multiplies levels by their row's scale, in place.
DecodeProc emit_scale_rows(blocks::Sprite& engine, const DecodeLists& lists);

}  // namespace sb3lm
