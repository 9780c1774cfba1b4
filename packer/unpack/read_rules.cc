#include "unpack/read_rules.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "model/rule_names.h"
#include "model/typed_letters.h"

namespace sb3lm {
namespace {

constexpr double kLetters = static_cast<double>(kLastTyped) + 1;
constexpr std::size_t kMaxText = 64;

class RuleReader {
 public:
  RuleReader(const std::string& file, const ReadNumbers& numbers)
      : file_(file),
        rows_(numbers(names::kRuleRows)),
        texts_(numbers(names::kRuleTexts)),
        pairs_(numbers(names::kRulePairs)),
        results_(numbers(names::kRuleResults)) {}

  TextRules read(const JsonFields& info) {
    rules_.present = true;
    rules_.collapse_spaces = info.get<bool>("collapse_spaces");
    rules_.hangul = info.get<bool>("hangul");
    const auto first_mark = static_cast<std::size_t>(info.get<std::uint64_t>("mark_row"));
    if (rows_.size() % 3 != 0 || first_mark > rows_.size() / 3) broken("rows");
    read_table(0, first_mark, [&](char32_t c, double value) { add_letter(c, value); });
    std::vector<char32_t> marks;
    read_table(first_mark, rows_.size() / 3, [&](char32_t c, double value) {
      if (value == 0) return;
      if (value != static_cast<double>(marks.size() + 1)) broken("marks");
      marks.push_back(c);
    });
    read_pairs(marks);
    return std::move(rules_);
  }

 private:
  [[noreturn]] void broken(const char* what) const {
    fail(Fault::bad_input, "{}: tokenizer: rules: {}", file_, what);
  }

  char32_t letter(double value) const {
    if (!(value >= 0 && value < 0x110000) || value != std::floor(value)) broken("a letter");
    return static_cast<char32_t>(value);
  }

  /// Calls `add` with each code point and what the rows of a table say of it.
  template <class Add>
  void read_table(std::size_t first, std::size_t last, Add add) {
    double next = 0;
    for (std::size_t row = first; row < last; ++row) {
      const double key = rows_[row * 3], value = rows_[row * 3 + 1], step = rows_[row * 3 + 2];
      const double end = row + 1 < last ? rows_[row * 3 + 3] : kLetters;
      if (key != next || !(end > key && end <= kLetters)) broken("rows are out of order");
      for (next = key; next < end; ++next) add(letter(next), value + (next - key) * step);
    }
  }

  void add_letter(char32_t c, double value) {
    if (value == static_cast<double>(c)) return;
    if (value < kLetters) {
      rules_.letters[c] = std::u32string(1, letter(value));
      return;
    }
    const double at = value - kLetters;  // of the count
    if (!(at < static_cast<double>(texts_.size()))) broken("a letter's text");
    const auto place = static_cast<std::size_t>(at);
    const double size = texts_[place];
    if (!(size >= 0 && size <= static_cast<double>(kMaxText)) ||
        static_cast<std::size_t>(size) > texts_.size() - place - 1) {
      broken("a letter's text");
    }
    std::u32string& text = rules_.letters[c];
    for (std::size_t k = 1; k <= static_cast<std::size_t>(size); ++k) {
      text += letter(texts_[place + k]);
    }
  }

  void read_pairs(const std::vector<char32_t>& marks) {
    if (pairs_.size() != results_.size()) broken("pairs and results");
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
      const double side = std::floor(pairs_[i] / kLetters);
      if (!(side >= 0 && side < 2.0 * static_cast<double>(marks.size()))) broken("a pair");
      const auto mark = static_cast<std::size_t>(side);
      rules_.pairs.push_back({letter(pairs_[i] - side * kLetters), marks[mark % marks.size()],
                              mark >= marks.size(), letter(results_[i])});
    }
    std::sort(rules_.pairs.begin(), rules_.pairs.end(),
              [](const LetterPair& a, const LetterPair& b) { return a.key() < b.key(); });
  }

  const std::string& file_;
  std::vector<double> rows_, texts_, pairs_, results_;
  TextRules rules_;
};

}  // namespace

TextRules read_rules(const std::string& file, const JsonFields& info, const ReadNumbers& numbers) {
  return RuleReader(file, numbers).read(info);
}

}  // namespace sb3lm
