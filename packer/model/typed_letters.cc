#include "model/typed_letters.h"

#include <fmt/format.h>

#include <algorithm>
#include <bitset>

#include "base/error.h"
#include "model/unicode.h"

namespace sb3lm {
namespace {

constexpr char32_t kPlane = 0x10000;
using Marks = std::bitset<kPlane>;

struct Script {
  const char* name;
  LetterLevel level;
  char32_t first, last;
};

#define SCRIPT(name, level, first, last) {name, LetterLevel::level, first, last},
constexpr Script kScripts[] = {
#include "model/letter_scripts.def"
};
#undef SCRIPT

// A script is the vocabulary's if it spells at least one letter in so many with fewer tokens.
constexpr int kWrittenShare = 8;
// Han and Hangul are larger. The file of a vocabulary that writes one of them is too, so that the
// rest of all letters costs little beside it.
constexpr char32_t kLargeScript = 8000;

// Controls other than tab and line ends, halves of letters, and what is no letter for ever.
bool is_never_typed(char32_t c) {
  const bool control = c < 0x20 && c != '\t' && c != '\n' && c != '\r';
  return control || (c >= 0x7F && c < 0xA0) || (c >= 0xD800 && c < 0xE000) ||
         (c >= 0xFDD0 && c < 0xFDF0) || c >= 0xFFFD;
}

Marks shortened_letters(Tokenizer tokenizer) {
  tokenizer.prefix_space = false;
  Marks marks;
  for (char32_t c = 0x80; c < kPlane; ++c) {
    if (is_never_typed(c)) continue;
    const std::string bytes = utf8(c);
    const std::vector<int> ids = encode(tokenizer, bytes, false);
    const bool unknown = ids.size() == 1 && ids[0] == tokenizer.unknown;
    marks[c] = ids.size() < bytes.size() && !unknown;
  }
  return marks;
}

bool is_written(const Script& script, const Marks& shortened) {
  int written = 0;
  for (char32_t c = script.first; c <= script.last; ++c) written += shortened[c];
  return written * kWrittenShare > static_cast<int>(script.last - script.first);
}

bool writes_large_script(const Marks& shortened) {
  return std::any_of(std::begin(kScripts), std::end(kScripts), [&](const Script& script) {
    return script.last - script.first > kLargeScript && is_written(script, shortened);
  });
}

}  // namespace

bool TypedLetters::has(char32_t letter) const {
  if (letter >= kPlane) return letter <= kLastTyped;
  const auto& among = lower_case(letter) == letter ? small : capital;
  return std::binary_search(among.begin(), among.end(), letter);
}

TypedLetters typed_letters(const Tokenizer& tokenizer, LetterLevel level) {
  const Marks shortened = shortened_letters(tokenizer);
  if (level == LetterLevel::usual && writes_large_script(shortened)) level = LetterLevel::more;
  Marks known = shortened;
  for (const char c : {'\t', '\n', '\r'}) known.set(static_cast<unsigned char>(c));
  for (const Script& script : kScripts) {
    if (script.level > level && !is_written(script, shortened)) continue;
    for (char32_t c = script.first; c <= script.last; ++c)
      known[c] = known[c] || !is_never_typed(c);
  }
  TypedLetters letters;
  for (char32_t c = 0; c < kPlane; ++c) {
    const char32_t lower = lower_case(c);
    if (lower != c && (known[c] || known[lower])) letters.capital.push_back(c);
    if (lower == c && known[c]) letters.small.push_back(c);
  }
  return letters;
}

std::string describe(const TypedLetters& letters) {
  std::vector<std::string_view> names;
  for (const Script& script : kScripts) {
    bool all = std::find(names.begin(), names.end(), script.name) == names.end();
    for (char32_t c = script.first; all && c <= script.last; ++c) {
      all = letters.has(c) || is_never_typed(c);
    }
    if (all) names.push_back(script.name);
  }
  return fmt::format(fmt::runtime("{}; {} letters, and all from U+10000 to U+{:X}"),
                     fmt::join(names, ", "), letters.small.size() + letters.capital.size(),
                     static_cast<unsigned>(kLastTyped));
}

std::string sample_text(const TypedLetters& letters) {
  constexpr std::size_t kSamples = 24;
  std::string text = "I'm 7: ";
  for (const auto* some : {&letters.small, &letters.capital}) {
    for (std::size_t k = 0; k < kSamples && !some->empty(); ++k) {
      text += utf8((*some)[k * (some->size() - 1) / (kSamples - 1)]);
    }
  }
  return text + " \U0001F600";
}

std::string as_blocks_see(const TypedLetters& letters, std::string_view text) {
  std::vector<char32_t> code_points;
  check(decode_utf8(text, code_points), "text for the blocks is not UTF-8");
  std::string seen;
  for (const char32_t c : code_points) seen += utf8(letters.has(c) ? c : kReplacement);
  return seen;
}

}  // namespace sb3lm
