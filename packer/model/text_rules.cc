#include "model/text_rules.h"

#include <algorithm>
#include <optional>

#include "model/unicode.h"

namespace sb3lm {
namespace {

constexpr char32_t kInvalid = 0xFFFD;
constexpr char32_t kFirstLeading = 0x1100, kFirstVowel = 0x1161, kBeforeTrailing = 0x11A7;
constexpr char32_t kFirstSyllable = 0xAC00;
constexpr char32_t kLeading = 19, kVowels = 21, kTrailing = 28;  // "no trailing" among the last

/// Goes through a text letter by letter; the letter that the next one may join is held back.
class Rewriter {
 public:
  Rewriter(const TextRules& rules, bool prefix)
      : rules_(rules), text_(prefix ? " " : ""), after_space_(rules.collapse_spaces) {}

  std::string run(std::string_view text, const std::function<std::size_t(std::string_view)>& kept) {
    const std::vector<TextChar> chars = text_chars(text);
    for (std::size_t at = 0; at < chars.size();) {
      const TextChar& c = chars[at];
      if (joins(c)) {
        ++at;
        continue;
      }
      release();
      if (const std::size_t size = kept(text.substr(c.offset)); size > 0) {
        const std::size_t end = c.offset + size;
        for (; at < chars.size() && chars[at].offset < end; ++at) put(chars[at].value);
      } else {
        take(c);
        ++at;
      }
    }
    release();
    while (rules_.collapse_spaces && text_.ends_with(' ')) text_.pop_back();
    return std::move(text_);
  }

 private:
  static bool is_invalid(const TextChar& c) { return c.value == kInvalid && c.size == 1; }

  const std::u32string* rule_of(const TextChar& c) const {
    if (is_invalid(c)) return nullptr;
    const auto found = rules_.letters.find(c.value);
    return found == rules_.letters.end() ? nullptr : &found->second;
  }

  bool joins(const TextChar& c) {
    if (!held_ || is_invalid(c)) return false;
    const std::u32string* rule = rule_of(c);
    if (rule != nullptr && rule->size() != 1) return false;
    const char32_t result = rules_.join(*held_, rule != nullptr ? (*rule)[0] : c.value, joined_);
    if (result == 0) return false;
    held_ = result;
    joined_ = true;
    return true;
  }

  void take(const TextChar& c) {
    const std::u32string* rule = rule_of(c);
    joined_ = false;
    if (rule == nullptr || rule->size() == 1) {
      held_ = rule == nullptr ? c.value : (*rule)[0];
    } else {
      for (const char32_t letter : *rule) put(letter);
    }
  }

  void release() {
    if (held_) put(*held_);
    held_.reset();
  }

  /// A typed U+2581 is a space that nothing drops, except at the end.
  void put(char32_t c) {
    if (c == ' ' && after_space_) return;
    after_space_ = c == ' ' && rules_.collapse_spaces;
    text_ += c == kSpaceMark ? " " : utf8(c);
  }

  const TextRules& rules_;
  std::string text_;
  bool after_space_;
  std::optional<char32_t> held_;
  bool joined_ = false;
};

}  // namespace

char32_t join_jamo(char32_t left, char32_t right, bool joined) {
  if (joined) {
    const char32_t syllable = left - kFirstSyllable, trailing = right - kBeforeTrailing;
    const bool open = syllable < kLeading * kVowels * kTrailing && syllable % kTrailing == 0;
    return open && trailing > 0 && trailing < kTrailing ? left + trailing : 0;
  }
  const char32_t leading = left - kFirstLeading, vowel = right - kFirstVowel;
  if (leading >= kLeading || vowel >= kVowels) return 0;
  return kFirstSyllable + (leading * kVowels + vowel) * kTrailing;
}

char32_t TextRules::join(char32_t left, char32_t right, bool joined) const {
  if (hangul) {
    if (const char32_t syllable = join_jamo(left, right, joined); syllable != 0) return syllable;
  }
  const LetterPair wanted{left, right, joined, 0};
  const auto found =
      std::lower_bound(pairs.begin(), pairs.end(), wanted,
                       [](const LetterPair& a, const LetterPair& b) { return a.key() < b.key(); });
  return found != pairs.end() && found->key() == wanted.key() ? found->result : 0;
}

std::string apply_rules(const TextRules& rules, std::string_view text, bool prefix,
                        const std::function<std::size_t(std::string_view)>& kept) {
  if (text.empty()) return {};
  return Rewriter(rules, prefix).run(text, kept);
}

}  // namespace sb3lm
