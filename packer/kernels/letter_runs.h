// Glyphs and code points in blocks: letters lie in runs of neighbouring code points
// (text_tables.h), so a table of some fifty runs stands for all of them.
#pragma once

#include <vector>

#include "scratch/script.h"

namespace sb3lm {

/// find(value, field): sets `at` to the run that holds a glyph (field 0) or, if there is one, a
/// code point (field 1); then code_of and glyph_of tell one from the other.
struct LetterRunBlocks {
  blocks::Proc<blocks::Num, blocks::Num> find;
  blocks::List<blocks::Num> runs;
  blocks::Var<blocks::Num> at;

  blocks::Expr<blocks::Num> code_of(blocks::Expr<blocks::Num> glyph) const {
    return std::move(glyph) - runs[at + 0] + runs[at + 1];
  }
  /// Only a glyph if it is above 0 and below the next run's first, `end()`.
  blocks::Expr<blocks::Num> glyph_of(blocks::Expr<blocks::Num> code) const {
    return std::move(code) - runs[at + 1] + runs[at + 0];
  }
  blocks::Expr<blocks::Num> end() const { return runs[at + 2] + 0; }
};

/// Adds it to the sprite, once: later calls give the same.
LetterRunBlocks emit_letter_runs(blocks::Sprite& engine, const std::vector<char32_t>& letters);

/// The costume before those of the letters.
inline constexpr const char* kUnknownLetter = "unknown letter";
/// Number of that costume, so that a glyph's has its own added. Throws bug if there is none.
int letter_costumes(blocks::Sprite& engine);

}  // namespace sb3lm
