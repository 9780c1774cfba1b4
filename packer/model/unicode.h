// UTF-8, the classes of characters that tokenizers' patterns tell apart, and small letters.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sb3lm {

/// By general category: L, M, Nd, Nl and No, P, S; but `space` is the property White_Space, and
/// everything else (unassigned too) is `other`.
enum class LetterClass { letter, mark, digit, number, punctuation, symbol, space, other };
LetterClass letter_class(char32_t code_point);

/// The classes of GPT-2's pattern.
enum class CharClass { letter, number, space, other };

/// \p{L}, \p{N} and white space of Unicode; everything else (unassigned too) is `other`.
CharClass char_class(char32_t code_point);

/// What JavaScript's toLowerCase makes of a code point by itself. Of the two that U+0130 becomes
/// the first.
char32_t lower_case(char32_t code_point);
/// The text letter by letter so, but for U+0130 and letters from U+10000 on, which stay. Invalid
/// bytes become U+FFFD.
std::string small_letters(std::string_view text);

/// UTF-8 of one code point.
std::string utf8(char32_t code_point);
/// The code points of `text`; false (and an unspecified list) if it is not valid UTF-8.
bool decode_utf8(std::string_view text, std::vector<char32_t>& code_points);

/// One code point as it lies in a text. An invalid byte is one of its own, with value 0xFFFD.
struct TextChar {
  char32_t value = 0;
  std::size_t offset = 0;
  std::size_t size = 0;
};
std::vector<TextChar> text_chars(std::string_view text);

/// Offset of the first byte that is no UTF-8, npos if there is none.
std::size_t invalid_byte(std::string_view text);
/// The text with U+FFFD for every such byte.
std::string valid_utf8(std::string_view text);

}  // namespace sb3lm
