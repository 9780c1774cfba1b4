#include "model/normal_form.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "model/text_rules.h"
#include "model/unicode.h"

namespace sb3lm {
namespace {

constexpr std::string_view kCanonical[] = {
#include "model/unicode_canonical.def"
};
constexpr std::string_view kCompatible[] = {
#include "model/unicode_compatible.def"
};

constexpr char32_t kFirstSyllable = 0xAC00, kSyllables = 11172, kVowelsTimesTrailing = 21 * 28;

/// Reads the items of the tables, which are ours.
class ItemReader {
 public:
  explicit ItemReader(std::string_view item) : rest_(item) {}

  char32_t number() {
    unsigned value = 0;
    const auto [end, problem] =
        std::from_chars(rest_.data(), rest_.data() + rest_.size(), value, 16);
    check(problem == std::errc(), "a table of normal forms has no number");
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }
  /// The next sign, 0 at the end.
  char sign() {
    if (rest_.empty()) return 0;
    const char next = rest_.front();
    rest_.remove_prefix(1);
    return next;
  }

 private:
  std::string_view rest_;
};

void add_item(std::string_view item, FormTables& tables) {
  ItemReader in(item);
  const char32_t first = in.number();
  char32_t last = first;
  char sign = in.sign();
  if (sign == '-') {
    last = in.number();
    sign = in.sign();
  }
  std::u32string letters;
  do letters += in.number();
  while (in.sign() == '+');
  for (char32_t c = first; c <= last; ++c) {
    if (sign == ':') {
      tables.orders[c] = static_cast<int>(letters[0]);
      continue;
    }
    tables.letters[c] = letters;
    if (sign == '=') tables.pairs[{letters[0], letters[1]}] = c;
    ++letters[0];
  }
}

void add_items(std::string_view line, FormTables& tables) {
  while (!line.empty()) {
    const std::size_t end = std::min(line.find(' '), line.size());
    add_item(line.substr(0, end), tables);
    line.remove_prefix(std::min(end + 1, line.size()));
  }
}

/// Steps become whole ways; a way has few of them.
void complete(FormTables& tables) {
  for (bool again = true; again;) {
    again = false;
    for (auto& [letter, to] : tables.letters) {
      std::u32string longer;
      for (const char32_t c : to) {
        const auto found = tables.letters.find(c);
        longer += found == tables.letters.end() ? std::u32string(1, c) : found->second;
      }
      again = again || longer != to;
      to = std::move(longer);
    }
  }
}

FormTables make_tables(NormalForm form) {
  FormTables tables;
  for (const std::string_view line : kCanonical) add_items(line, tables);
  if (form == NormalForm::nfkc) {
    for (const std::string_view line : kCompatible) add_items(line, tables);
  }
  complete(tables);
  return tables;
}

/// Decomposes letter by letter; what is finished is composed as soon as the next letter comes that
/// joins nothing before it.
class Normalizer {
 public:
  explicit Normalizer(const FormTables& tables) : tables_(tables) {}

  std::string run(std::string_view text) {
    for (const TextChar& c : text_chars(text)) take(c.value);
    sort_marks();
    return compose();
  }

 private:
  int order_of(char32_t c) const {
    if (c < 0x300) return 0;
    const auto found = tables_.orders.find(c);
    return found == tables_.orders.end() ? 0 : found->second;
  }

  void take(char32_t c) {
    if (c >= kFirstSyllable && c < kFirstSyllable + kSyllables) {
      const char32_t syllable = c - kFirstSyllable;
      letters_ += 0x1100 + syllable / kVowelsTimesTrailing;
      letters_ += 0x1161 + syllable % kVowelsTimesTrailing / 28;
      if (syllable % 28 > 0) letters_ += 0x11A7 + syllable % 28;
      return;
    }
    const auto found = c < 0xA0 ? tables_.letters.end() : tables_.letters.find(c);
    if (found == tables_.letters.end()) {
      letters_ += c;
    } else {
      letters_ += found->second;
    }
  }

  /// Marks in a row go by their class, equal ones as they stand.
  void sort_marks() {
    const auto is_start = [this](char32_t c) { return order_of(c) == 0; };
    for (auto at = letters_.begin(); at != letters_.end();) {
      at = std::find_if_not(at, letters_.end(), is_start);
      const auto end = std::find_if(at, letters_.end(), is_start);
      std::stable_sort(at, end,
                       [this](char32_t a, char32_t b) { return order_of(a) < order_of(b); });
      at = end;
    }
  }

  char32_t join(char32_t left, char32_t right) const {
    for (const bool joined : {false, true}) {
      if (const char32_t syllable = join_jamo(left, right, joined); syllable != 0) return syllable;
    }
    const auto found = tables_.pairs.find({left, right});
    return found == tables_.pairs.end() ? 0 : found->second;
  }

  std::string compose() const {
    constexpr std::size_t kNone = static_cast<std::size_t>(-1);
    std::u32string out;
    std::size_t start = kNone;  // of the last letter that is no mark
    int last = 0;               // class of the last one kept after it
    for (const char32_t c : letters_) {
      const int order = order_of(c);
      const bool open = start != kNone && (last == 0 || last < order);
      const char32_t joined = open ? join(out[start], c) : 0;
      if (joined != 0) {
        out[start] = joined;
        continue;
      }
      if (order == 0) start = out.size();
      last = order;
      out += c;
    }
    std::string text;
    for (const char32_t c : out) text += utf8(c);
    return text;
  }

  const FormTables& tables_;
  std::u32string letters_;
};

}  // namespace

const FormTables& form_tables(NormalForm form) {
  check(form != NormalForm::none, "no normal form");
  static const FormTables canonical = make_tables(NormalForm::nfc);
  if (form == NormalForm::nfc) return canonical;
  static const FormTables compatible = make_tables(NormalForm::nfkc);
  return compatible;
}

std::string normalized(NormalForm form, std::string_view text) {
  if (form == NormalForm::none) return std::string(text);
  const bool is_ascii =
      std::all_of(text.begin(), text.end(), [](char c) { return (c & 0x80) == 0; });
  if (is_ascii) return std::string(text);
  return Normalizer(form_tables(form)).run(text);
}

}  // namespace sb3lm
