#include "support/shown_text.h"

#include <map>

#include "lower/ui_font.h"
#include "model/unicode.h"
#include "sb3_templates/templates.h"

namespace sb3lm::test {
namespace {

// Small letters and others as the project has unpacked them; their capitals by the rule of the
// font.
std::map<double, std::string> letters_by_code(const BlockEvaluator& evaluator) {
  const StrokeFont font = read_font(template_file("stage/font.txt"));
  const std::vector<double> codes = evaluator.list_numbers("_font codes");
  std::map<double, std::string> letters;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    letters[codes[i]] = std::get<std::string>(evaluator.list_item("_font letters", i));
  }
  std::size_t capital = 0;
  for (int i = 0; i < font.cased + font.accented_count; ++i) {
    const double code = codes[static_cast<std::size_t>(i)];
    if (letters[code] == "ı") continue;  // its capital is that of i
    letters[code + font.cased] = font.capitals.at(capital++);
  }
  return letters;
}

}  // namespace

std::vector<std::string> shown_lines(const BlockEvaluator& evaluator) {
  const auto letters = letters_by_code(evaluator);
  const std::vector<double> glyphs = evaluator.list_numbers("_shown glyphs"),
                            starts = evaluator.list_numbers("_line start");
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const auto end =
        i + 1 < starts.size() ? static_cast<std::size_t>(starts[i + 1]) - 1 : glyphs.size();
    std::string line;
    for (auto at = static_cast<std::size_t>(starts[i]) - 1; at < end; ++at) {
      line += letters.at(glyphs[at]);
    }
    lines.push_back(line);
  }
  return lines;
}

bool shows_letter(BlockEvaluator& evaluator, char32_t letter) {
  evaluator.set_list("transcript", {std::string("model: ") + utf8(letter)});
  evaluator.step();
  evaluator.step();
  const std::vector<std::string> lines = shown_lines(evaluator);
  // A space at the beginning of a line is not shown.
  const bool shown = lines.back() == (letter == ' ' ? "" : utf8(letter));
  evaluator.set_list("transcript", {});
  evaluator.step();
  evaluator.step();
  return shown;
}

}  // namespace sb3lm::test
