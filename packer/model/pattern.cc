#include "model/pattern.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <tuple>

#include "base/error.h"
#include "model/unicode.h"

namespace sb3lm {
namespace {

constexpr std::size_t kMaxPattern = 4096, kMaxAlternatives = 128, kMaxRuns = 16, kMaxRanges = 256;
constexpr int kMaxCount = 1000;
constexpr char32_t kLongS = 0x17F,
                   kKelvin = 0x212A;  // small letters s and k, where case is ignored

std::uint32_t bit(LetterClass kind) {
  return std::uint32_t{1} << static_cast<int>(kind);
}
constexpr std::uint32_t kAllClasses =
    (std::uint32_t{1} << (static_cast<int>(LetterClass::other) + 1)) - 1;

struct NamedClass {
  std::string_view name;
  std::vector<LetterClass> kinds;
};
const std::vector<NamedClass>& named_classes() {
  using enum LetterClass;
  static const std::vector<NamedClass> all = {{"L", {letter}},        {"M", {mark}},
                                              {"N", {digit, number}}, {"Nd", {digit}},
                                              {"P", {punctuation}},   {"S", {symbol}}};
  return all;
}

class PatternParser {
 public:
  PatternParser(const std::string& file, std::string_view pattern)
      : file_(file), pattern_(pattern) {}

  CutStep parse() {
    if (pattern_.size() > kMaxPattern) {
      fail(Fault::unsupported, "{}: a pattern of more than {} bytes is not supported", file_,
           kMaxPattern);
    }
    if (invalid_byte(pattern_) != pattern_.npos) broken("it is not UTF-8");
    step_.pattern = pattern_;
    chars_ = text_chars(pattern_);
    do read_alternative();
    while (take('|'));
    if (!done()) broken("')' closes nothing");
    return std::move(step_);
  }

 private:
  using Row = std::vector<LetterRun>;

  [[noreturn]] void broken(std::string_view what) const {
    fail(Fault::bad_input, "{}: pattern '{}': {}", file_, pattern_, what);
  }
  [[noreturn]] void unknown(std::string_view what) const {
    fail(Fault::unsupported, "{}: pattern '{}', which has {}, is not supported", file_, pattern_,
         what);
  }

  bool done() const { return at_ >= chars_.size(); }
  char32_t peek(std::size_t ahead = 0) const {
    return at_ + ahead < chars_.size() ? chars_[at_ + ahead].value : 0;
  }
  char32_t next() {
    if (done()) broken("it ends too early");
    return chars_[at_++].value;
  }
  bool take(char32_t c) {
    if (done() || peek() != c) return false;
    ++at_;
    return true;
  }
  bool take(std::string_view signs) {
    for (std::size_t k = 0; k < signs.size(); ++k) {
      if (peek(k) != static_cast<unsigned char>(signs[k])) return false;
    }
    at_ += signs.size();
    return true;
  }

  // Up to the end or a '|' outside of groups: rows that differ by what groups stand for.
  void read_alternative() {
    std::vector<Row> rows(1);
    int not_before = -1;
    while (!done() && peek() != '|' && peek() != ')') {
      if (not_before >= 0) unknown("something after (?!..)");
      if (take("(?!")) {
        not_before = add_set(read_set());
        if (!take(')')) unknown("(?!..) of more than one set");
      } else if (take('(')) {
        rows = multiplied(rows, read_group());
      } else {
        const LetterRun run = read_run();
        for (Row& row : rows) row.push_back(run);
      }
    }
    for (Row& row : rows) add_alternative(std::move(row), not_before);
  }

  void add_alternative(Row row, int not_before) {
    if (row.size() > kMaxRuns || step_.alternatives.size() == kMaxAlternatives) {
      unknown("too many parts");
    }
    const bool may_be_empty =
        std::all_of(row.begin(), row.end(), [](const LetterRun& run) { return run.least == 0; });
    if (may_be_empty) unknown("an alternative that may be empty");
    step_.alternatives.push_back({std::move(row), not_before});
  }

  // The alternatives in a group, whose '(' is read.
  std::vector<Row> read_group() {
    if (take("?i:")) {
      ignores_case_ = true;
    } else if (!take("?:") && peek() == '?') {
      unknown("a group (?..) of another kind than (?:..), (?i:..) and (?!..)");
    }
    std::vector<Row> rows(1);
    while (!take(')')) {
      if (peek() == '(') unknown("a group in a group");
      if (take('|')) {
        rows.emplace_back();
      } else {
        rows.back().push_back(read_run());
      }
      if (rows.size() > kMaxAlternatives) unknown("too many parts");
    }
    ignores_case_ = false;
    if (read_count()) unknown("a repeated group");
    return rows;
  }

  // What comes before a group must have one length, or the order of attempts would be another.
  std::vector<Row> multiplied(const std::vector<Row>& rows, const std::vector<Row>& group) const {
    std::vector<Row> out;
    for (const Row& row : rows) {
      for (const LetterRun& run : row) {
        if (group.size() > 1 && run.least != run.most) unknown("a group after a repetition");
      }
      for (const Row& tail : group) {
        out.push_back(row);
        out.back().insert(out.back().end(), tail.begin(), tail.end());
      }
    }
    if (out.size() > kMaxAlternatives) unknown("too many parts");
    return out;
  }

  LetterRun read_run() {
    LetterRun run{.set = add_set(read_set())};
    if (const auto count = read_count()) std::tie(run.least, run.most) = *count;
    return run;
  }

  std::optional<std::pair<int, int>> read_count() {
    std::optional<std::pair<int, int>> count;
    if (take('?'))
      count = {0, 1};
    else if (take('*'))
      count = {0, LetterRun::kNoLimit};
    else if (take('+'))
      count = {1, LetterRun::kNoLimit};
    else if (take('{'))
      count = read_braces();
    if (!count) return count;
    if (peek() == '?') unknown("a lazy repetition");
    if (peek() == '+') unknown("a possessive repetition");
    if (peek() == '*' || peek() == '{') unknown("a repeated repetition");
    return count;
  }

  std::pair<int, int> read_braces() {
    const int least = read_number();
    int most = least;
    if (take(',')) most = peek() == '}' ? LetterRun::kNoLimit : read_number();
    if (!take('}') || most < least || most == 0) broken("{..} is no repetition");
    return {least, most};
  }

  int read_number() {
    int value = 0;
    if (peek() < '0' || peek() > '9') broken("{..} is no repetition");
    while (peek() >= '0' && peek() <= '9') {
      value = value * 10 + static_cast<int>(next() - '0');
      if (value > kMaxCount) unknown("a repetition of more than a thousand");
    }
    return value;
  }

  LetterSet read_set() {
    LetterSet set;
    if (take('[')) {
      read_class(set);
    } else {
      const char32_t c = next();
      if (c == '\\') {
        read_escape(set);
      } else if (c < 0x80 && std::string_view(".^$*+?{}[]()|").find(static_cast<char>(c)) !=
                                 std::string_view::npos) {
        unknown(fmt::format("'{}' in this place", static_cast<char>(c)));
      } else {
        set.ranges.emplace_back(c, c);
      }
    }
    if (ignores_case_) add_other_case(set);
    return set;
  }

  void read_class(LetterSet& set) {
    set.negated = take('^');
    if (peek() == ']') unknown("an empty [..]");
    while (!take(']')) {
      if (peek() == '[') unknown("[..] in [..]");
      if (peek() == '&' && peek(1) == '&') unknown("'&&' in [..]");
      if (set.ranges.size() == kMaxRanges) unknown("too many parts");
      const std::optional<char32_t> first = read_letter_in(set);
      if (peek() != '-' || peek(1) == ']') continue;
      if (!first) unknown("a range that begins with a class");
      ++at_;
      const std::optional<char32_t> last = read_letter_in(set);
      if (!last) unknown("a range that ends with a class");
      set.ranges.pop_back();
      set.ranges.back().second = *last;
      if (*last < *first) broken("a range goes backwards");
    }
  }

  /// Adds a letter, which is returned, or a class.
  std::optional<char32_t> read_letter_in(LetterSet& set) {
    const std::size_t ranges = set.ranges.size();
    if (const char32_t c = next(); c == '\\') {
      read_escape(set);
    } else {
      set.ranges.emplace_back(c, c);
    }
    if (set.ranges.size() == ranges) return std::nullopt;
    return set.ranges.back().first;
  }

  void read_escape(LetterSet& set) {
    const char32_t c = next();
    const auto add = [&](char32_t letter) { set.ranges.emplace_back(letter, letter); };
    const auto add_class = [&](std::uint32_t classes, bool all_others) {
      set.classes |= all_others ? kAllClasses & ~classes : classes;
    };
    switch (c) {
      case 'r':
        return add('\r');
      case 'n':
        return add('\n');
      case 't':
        return add('\t');
      case 'f':
        return add('\f');
      case 's':
      case 'S':
        return add_class(bit(LetterClass::space), c == 'S');
      case 'd':
      case 'D':
        return add_class(bit(LetterClass::digit), c == 'D');
      case 'p':
      case 'P':
        return add_class(read_class_name(), c == 'P');
      case 'u':
        return add(read_hex(4));
      case 'x':
        return add(take('{') ? read_hex(0) : read_hex(2));
      default:
        break;
    }
    const bool is_sign =
        c < 0x80 && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9');
    if (!is_sign) unknown(fmt::format("'\\{}'", utf8(c)));
    add(c);
  }

  std::uint32_t read_class_name() {
    std::string name;
    if (!take('{')) broken("\\p without {..}");
    while (!take('}')) name += utf8(next());
    for (const NamedClass& row : named_classes()) {
      if (row.name != name) continue;
      std::uint32_t classes = 0;
      for (const LetterClass kind : row.kinds) classes |= bit(kind);
      return classes;
    }
    unknown(fmt::format("\\p{{{}}}", name));
  }

  /// So many digits; 0: up to '}'.
  char32_t read_hex(int digits) {
    std::string text;
    while (digits == 0 ? !take('}') : static_cast<int>(text.size()) < digits) {
      text += utf8(next());
      if (text.size() > 6) break;
    }
    unsigned value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    if (problem != std::errc() || end != text.data() + text.size() || value > 0x10FFFF) {
      broken("a letter's number is none");
    }
    return value;
  }

  void add_other_case(LetterSet& set) const {
    if (set.negated) unknown("[^..] where case is ignored");
    const auto ranges = set.ranges;
    for (const auto& [first, last] : ranges) {
      if (last >= 0x80) unknown("a letter beyond ASCII where case is ignored");
      for (char32_t c = first; c <= last; ++c) {
        const char32_t lower = c | 0x20;
        if (lower < 'a' || lower > 'z') continue;
        set.ranges.emplace_back(c ^ 0x20, c ^ 0x20);
        if (lower == 's') set.ranges.emplace_back(kLongS, kLongS);
        if (lower == 'k') set.ranges.emplace_back(kKelvin, kKelvin);
      }
    }
  }

  int add_set(LetterSet set) {
    const auto found = std::find(step_.sets.begin(), step_.sets.end(), set);
    const auto place = found - step_.sets.begin();
    if (found == step_.sets.end()) step_.sets.push_back(std::move(set));
    return static_cast<int>(place);
  }

  const std::string& file_;
  std::string_view pattern_;
  std::vector<TextChar> chars_;
  std::size_t at_ = 0;
  bool ignores_case_ = false;
  CutStep step_;
};

}  // namespace

std::string as_pattern(std::string_view text) {
  std::string pattern;
  for (const TextChar& c : text_chars(text)) {
    pattern += fmt::format("\\x{{{:X}}}", static_cast<unsigned>(c.value));
  }
  return pattern;
}

CutStep parse_pattern(const std::string& file, std::string_view pattern) {
  return PatternParser(file, pattern).parse();
}

}  // namespace sb3lm
