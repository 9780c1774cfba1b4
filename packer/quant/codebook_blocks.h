// A codebook's text to the decoders' table, in blocks; the counterpart of codebook_cells.
#pragma once

#include <string>

#include "quant/codebook.h"
#include "quant/encoding.h"

namespace sb3lm {

/// fill(item): makes `table` from the codebook in that text item: for each cell the bits of its
/// weights, plane by plane as the spread table has them. Above 4 bits first those of the high
/// digits of all cells, then those of the low four bits.
blocks::Proc<blocks::Num> emit_fill_table(blocks::Sprite& engine, const DecodeLists& lists,
                                          const SymbolShape& shape, const std::string& name,
                                          const blocks::List<blocks::Num>& table);

}  // namespace sb3lm
