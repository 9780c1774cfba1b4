#include "lower/ui_font.h"

#include "base/error.h"
#include "model/unicode.h"

namespace sb3lm {
namespace {

using Lines = std::vector<std::string>;

constexpr char32_t kLowMark = 0xB8;  // the cedilla

// Lines between two "=", without comments.
std::vector<Lines> sections(std::string_view text) {
  std::vector<Lines> found(1);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line == "=") {
      found.emplace_back();
    } else if (!line.empty() && !line.starts_with("// ")) {
      found.back().push_back(line);
    }
  }
  return found;
}

std::vector<char32_t> code_points(const std::string& text) {
  std::vector<char32_t> points;
  check(decode_utf8(text, points), "the font is not UTF-8");
  return points;
}

// The capital of a letter of Latin-1 or Latin Extended-A that has one.
char32_t capital(char32_t small) {
  if (small == 0xFF) return 0x178;
  if (small < 0x100) return small - 0x20;
  return small - 1;
}

// Takes the letter off the front of a shape's line.
std::string take_letter(std::string& line) {
  const std::string letter = utf8(code_points(line).front());
  check(line.size() > letter.size() + 1 && line[letter.size()] == ' ', "a shape without a width");
  line.erase(0, letter.size() + 1);
  return letter;
}

void add_shapes(StrokeFont& font, const Lines& lines, std::string& letters) {
  for (std::string line : lines) {
    letters += take_letter(line);
    font.shapes.push_back(line + " ");
  }
}

void add_accented(StrokeFont& font, const Lines& lines) {
  for (const std::string& line : lines) {
    const std::vector<char32_t> points = code_points(line);
    for (std::size_t i = 2; i + 1 < points.size(); i += 3) {
      font.accented += utf8(points[i]) + utf8(points[i + 1]);
      font.capitals.push_back(utf8(capital(points[i])));
      ++font.accented_count;
    }
    font.accented += ' ';
  }
}

// Place of a letter among the shapes, from 1.
int shape_of(const StrokeFont& font, char32_t letter) {
  int at = 2 * font.cased;
  for (const char32_t one : code_points(font.others)) {
    ++at;
    if (one == letter) return at;
  }
  fail(Fault::bug, "the font has no letter U+{:04X}", static_cast<unsigned>(letter));
}

}  // namespace

StrokeFont read_font(std::string_view text) {
  const std::vector<Lines> parts = sections(text);
  check(parts.size() >= 4 && parts[0].size() == parts[1].size(), "the font lacks a section");
  StrokeFont font;
  font.cased = static_cast<int>(parts[0].size());
  std::string capitals;
  add_shapes(font, parts[0], font.small);
  add_shapes(font, parts[1], capitals);
  add_shapes(font, parts[2], font.others);
  for (const char32_t letter : code_points(capitals)) {
    if (font.small.find(utf8(letter)) == std::string::npos) font.capitals.push_back(utf8(letter));
  }
  add_accented(font, parts[3]);
  font.first_mark = shape_of(font, code_points(parts[3].front()).front());
  font.first_low_mark = shape_of(font, kLowMark);
  return font;
}

}  // namespace sb3lm
