// The range coder's decoder in blocks. It serves every width of codes and binary16 numbers: what
// differs are the tables, which open makes from a codebook.
#pragma once

#include "quant/encoding.h"

namespace sb3lm {

struct RangeBlocks {
  /// open(item, codes, field): makes the tables of the codebook before the text at `item`, for
  /// symbols of so many codes; bit p of a code counts field^p in `acc`. Nothing is done if they are
  /// there already; otherwise the letter is set to 1.
  blocks::Proc<blocks::Num, blocks::Num, blocks::Num> open;
  /// Empties the tables.
  blocks::Proc<> forget;
  /// Begins to read at `letter`.
  blocks::Proc<> begin;
  /// The next symbol: acc = acc * 2^codes + its value.
  blocks::Proc<> next;
  /// What is left of the state after a number below 256 was taken from it: fills it up again.
  blocks::Proc<> fill;
  /// row(groups, planes, stride): the table indices of a row of codes to list positions from `to`
  /// on, planes `stride` apart, the most significant first; `to` moves on by `groups`.
  blocks::Proc<blocks::Num, blocks::Num, blocks::Num> row;
  blocks::Var<blocks::Num> letter, state, acc, to;
};
/// `name` begins the names of everything that is declared.
RangeBlocks emit_range(blocks::Sprite& engine, const DecodeLists& lists, const std::string& name);

}  // namespace sb3lm
