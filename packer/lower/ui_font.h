// The stroke font that the stage's text is drawn with, as sb3_templates/stage/font.txt has it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sb3lm {

/// What the blocks unpack. Shapes count from 1: first the small letters that have a capital, then
/// their capitals, then all others.
struct StrokeFont {
  std::vector<std::string> shapes;  // "8 ~686b1b146468 6b64 ": width, then strokes
  std::string small;                // the letters of the first shapes
  std::string accented;             // letter and base letter in turn; a space: the next mark
  std::string others;               // the letters of the shapes behind the capitals
  int cased = 0;                    // number of the first shapes
  int accented_count = 0;
  int first_mark = 0;                   // shape
  int first_low_mark = 0;               // marks from here on go below a letter
  std::vector<std::string> capitals{};  // every letter that is drawn by a capital's shape
};

/// Parses the text of font.txt. Throws bug if it is not what the comment at its top says.
StrokeFont read_font(std::string_view text);

}  // namespace sb3lm
