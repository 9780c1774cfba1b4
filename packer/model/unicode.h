// UTF-8 and the character classes that GPT-2's pattern tells apart.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sb3lm {

enum class CharClass { letter, number, space, other };

/// \p{L}, \p{N} and white space of Unicode; everything else (unassigned too) is `other`.
CharClass char_class(char32_t code_point);

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
