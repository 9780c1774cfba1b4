// Letters drawn with the pen, as blocks: the font's unpacking, and text in one line.
#pragma once

#include "lower/ui_font.h"
#include "scratch/script.h"

namespace sb3lm {

/// `unpack` must run once before anything else. `find` sets `glyph` to the number of a letter: its
/// shape plus kMark times the shape of the mark on it. `draw` puts a glyph at `x`, `y` (its left
/// edge and baseline, in pixels) and moves `x` on by its width; `ink` takes a pen for that. `write`
/// writes a text in one line around a height; `anchor` says which part of its width lies left of x
/// (0, 0.5, 1). `bar` draws a line of any colour and size.
struct PenText {
  using Write = blocks::Proc<blocks::Str, blocks::Str, blocks::Num, blocks::Num, blocks::Num>;
  using Bar =
      blocks::Proc<blocks::Str, blocks::Num, blocks::Num, blocks::Num, blocks::Num, blocks::Num>;
  static constexpr int kMark = 1000;
  static constexpr double kScale = 0.84;  // pixels of a unit of the font
  static constexpr double kDrop = 3.2;    // of the baseline below the middle of a line

  blocks::Var<blocks::Num> glyph, x, y;
  blocks::List<blocks::Num> widths;  // of shapes, in units of the font
  blocks::Proc<> unpack;
  blocks::Proc<blocks::Str> find;
  blocks::Proc<blocks::Num> draw;
  blocks::Proc<blocks::Str> ink;
  Write write;
  Bar bar;
  int shape_of_space = 0;

  /// Width of a glyph in units of the font.
  blocks::Expr<blocks::Num> width_of(blocks::Expr<blocks::Num> code) const {
    return widths[mod(std::move(code), kMark)] + 0;
  }
};

/// Tells capitals apart: the costume's number is then above 1 for those that have a costume.
void switch_to_capital(blocks::Script& s, blocks::Expr<blocks::Str> letter);

/// Adds lists, variables and procedures to the sprite, and a costume for each capital: Scratch
/// compares text ignoring case, but finds costumes by exact name.
PenText emit_pen_text(blocks::Sprite& sprite, const StrokeFont& font);

}  // namespace sb3lm
