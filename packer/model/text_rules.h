// What becomes of a text before it is cut into symbols: SentencePiece's normaliser, whose table of
// strings is kept as what a letter becomes and which pairs of the results join.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace sb3lm {

/// U+2581, which stands for a space in SentencePiece's vocabularies.
inline constexpr char32_t kSpaceMark = 0x2581;

/// `left` and the letter after it join. A left one that has joined before is not the same as one
/// that was typed: a table may let "o", two dots and a bar join, but not the letter "o with dots"
/// and a bar.
struct LetterPair {
  char32_t left = 0, right = 0;
  bool joined = false;  // left is the result of a pair
  char32_t result = 0;

  auto key() const { return std::tie(joined, right, left); }
};

struct TextRules {
  bool present = false;          // else a text stays as it is
  bool collapse_spaces = false;  // those at the ends go, of several in a row one is left
  bool hangul = false;           // typed jamo join to syllables as in Unicode (join_jamo)
  std::map<char32_t, std::u32string> letters;  // all others stay
  std::vector<LetterPair> pairs;               // by key()

  /// What two letters join to, 0 if they do not.
  char32_t join(char32_t left, char32_t right, bool joined) const;
};

/// The syllable of a leading consonant and a vowel (not `joined`), or of such a syllable and a
/// trailing consonant (`joined`), 0 if they are something else.
char32_t join_jamo(char32_t left, char32_t right, bool joined);

/// The text after the rules, with a space for each U+2581. `prefix` puts a space in front of text
/// that is not empty. `kept` tells how many of the first bytes must stay as they are; 0: none.
/// Bytes that are no UTF-8 become U+FFFD, each one.
std::string apply_rules(const TextRules& rules, std::string_view text, bool prefix,
                        const std::function<std::size_t(std::string_view)>& kept);

}  // namespace sb3lm
