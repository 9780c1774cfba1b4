#include "kernels/rule_tables.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "model/unicode.h"

namespace sb3lm {

using scratch::Scalar;

namespace {

constexpr double kSteps[] = {1, 2, 0, 3, 4, 5};
constexpr std::size_t kShortRun = 3;  // shorter ones cost less as texts of one letter

double number(char32_t c) {
  return static_cast<double>(c);
}

class LetterRows {
 public:
  explicit LetterRows(const TextRules& rules) : rules_(rules) { texts_.emplace_back(0.0); }

  std::vector<RowEntry> entries() {
    std::vector<RowEntry> entries;
    for (char32_t c = 0; c <= kLastRuleLetter; ++c) {
      const auto found = rules_.letters.find(c);
      if (found == rules_.letters.end()) {
        entries.emplace_back(number(c), number(c));
      } else if (c < direct_end_ || is_long_run(found)) {
        entries.emplace_back(number(c), number(found->second[0]));
      } else {
        entries.emplace_back(number(c), place_of(found->second));
      }
    }
    return entries;
  }
  std::vector<Scalar> texts() && { return std::move(texts_); }

 private:
  using Place = std::map<char32_t, std::u32string>::const_iterator;

  /// Whether enough letters from here on become others in equal steps, so that one row says it.
  bool is_long_run(Place first) {
    if (!becomes_one(first)) return false;
    std::size_t best = 1;
    for (const char32_t step : {1, 2, 0}) {
      std::size_t length = 0;
      for (Place at = first;
           at != rules_.letters.end() && becomes_one(at) && at->first == first->first + length &&
           at->second[0] == first->second[0] + length * step;
           ++at) {
        ++length;
      }
      best = std::max(best, length);
    }
    if (best < kShortRun) return false;
    direct_end_ = first->first + static_cast<char32_t>(best);
    return true;
  }

  static bool becomes_one(Place at) {
    return at->second.size() == 1 && at->second[0] <= kLastRuleLetter;
  }

  double place_of(const std::u32string& text) {
    std::size_t at = 1;
    if (!text.empty()) {
      at = texts_.size() + 1;
      texts_.emplace_back(static_cast<double>(text.size()));
      for (const char32_t c : text) texts_.emplace_back(number(c));
    }
    return number(kLastRuleLetter) + static_cast<double>(at);
  }

  const TextRules& rules_;
  std::vector<Scalar> texts_;
  char32_t direct_end_ = 0;
};

std::vector<char32_t> code_points(const std::string& text) {
  std::vector<char32_t> points;
  check(decode_utf8(text, points), "a token is not UTF-8");
  return points;
}

}  // namespace

RuleTables rule_tables(const TextRules& rules) {
  RuleTables tables;
  LetterRows letters(rules);
  tables.letters = append_rows(tables.rows, letters.entries(), kSteps);
  tables.texts = std::move(letters).texts();

  std::map<char32_t, int> marks;
  for (const LetterPair& pair : rules.pairs) marks[pair.right] = 0;
  for (auto& [mark, place] : marks) place = ++tables.mark_count;
  std::vector<RowEntry> entries;
  for (char32_t c = 0; c <= kLastRuleLetter; ++c) {
    const auto found = marks.find(c);
    entries.emplace_back(number(c), found == marks.end() ? 0 : found->second);
  }
  tables.marks = append_rows(tables.rows, entries, kSteps);
  std::map<double, double> results;
  for (const LetterPair& pair : rules.pairs) {
    const int side = marks.at(pair.right) - 1 + (pair.joined ? tables.mark_count : 0);
    results[side * number(kLastRuleLetter + 1) + number(pair.left)] = number(pair.result);
  }
  for (const auto& [pair, result] : results) {
    tables.pairs.emplace_back(pair);
    tables.results.emplace_back(result);
  }
  return tables;
}

WholeTables whole_tables(const Tokenizer& tokenizer, bool typed) {
  struct Whole {
    std::vector<char32_t> letters;
    int id;
  };
  std::map<char32_t, std::vector<Whole>> by_start;
  for (const auto& [text, id] : tokenizer.whole) {
    std::vector<char32_t> letters = code_points(text);
    if (typed) std::replace(letters.begin(), letters.end(), U' ', kSpaceMark);
    by_start[letters.front()].push_back({letters, id});
  }
  WholeTables tables;
  for (auto& [start, list] : by_start) {
    std::stable_sort(list.begin(), list.end(), [](const Whole& a, const Whole& b) {
      return a.letters.size() > b.letters.size();
    });
    tables.starts.emplace_back(number(start));
    tables.places.emplace_back(static_cast<double>(tables.texts.size() + 1));
    for (const Whole& whole : list) {
      tables.texts.emplace_back(static_cast<double>(whole.letters.size()));
      for (const char32_t c : whole.letters) tables.texts.emplace_back(number(c));
      tables.texts.emplace_back(static_cast<double>(whole.id));
    }
    tables.texts.emplace_back(0.0);
  }
  return tables;
}

UndoneTables undone_tables(const Tokenizer& tokenizer) {
  UndoneTables tables;
  for (const auto& [id, pair] : tokenizer.undone) {
    std::vector<int> parts;
    append_undone(tokenizer, id, parts);
    tables.ids.emplace_back(static_cast<double>(id));
    tables.places.emplace_back(static_cast<double>(tables.parts.size() + 1));
    tables.parts.emplace_back(static_cast<double>(parts.size()));
    for (const int part : parts) tables.parts.emplace_back(static_cast<double>(part));
  }
  return tables;
}

}  // namespace sb3lm
