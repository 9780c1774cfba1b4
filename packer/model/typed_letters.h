// Which letters a project knows when they are typed. Scratch has no block that tells a letter's
// number: a letter has to be found among letters that lie in the file, each of which takes a byte
// or two there. Beyond U+FFFF it arrives as two halves, so that a thousand pairs tell all of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/tokenizer.h"

namespace sb3lm {

inline constexpr char32_t kReplacement = 0xFFFD;
/// Every letter from U+10000 up to here is known: all planes with scripts and emoji.
inline constexpr char32_t kLastTyped = 0x3FFFF;

struct TypedLetters {
  // Below U+10000, ascending. A capital is what Scratch takes for another letter, ignoring case; if
  // a small letter is here, so are its capitals.
  std::vector<char32_t> small, capital;

  bool has(char32_t letter) const;
};

enum class LetterLevel { few, usual, more };  // see letter_scripts.def

/// The letters of the scripts up to that level; those that the vocabulary spells with fewer tokens
/// than bytes, and all of a script that it spells so in part. `usual` is `more` for a vocabulary
/// that writes Han or Hangul.
TypedLetters typed_letters(const Tokenizer& tokenizer, LetterLevel level);

/// Some dozens of them, from everywhere, for a check.
std::string sample_text(const TypedLetters& letters);

/// "Latin, Greek, Cyrillic, ... (2,345 letters, and all from U+10000 to U+3FFFF)".
std::string describe(const TypedLetters& letters);

/// `text` as the blocks see it: each letter that is not known is one U+FFFD.
std::string as_blocks_see(const TypedLetters& letters, std::string_view text);

}  // namespace sb3lm
