#include "model/unicode.h"

#include <algorithm>
#include <iterator>

namespace sb3lm {
namespace {

struct Range {
  LetterClass kind;
  char32_t first, last;
};

constexpr LetterClass L = LetterClass::letter, M = LetterClass::mark, D = LetterClass::digit,
                      N = LetterClass::number, P = LetterClass::punctuation,
                      S = LetterClass::symbol, Z = LetterClass::space;
#define RANGE(kind, first, last) {kind, first, last},
constexpr Range kRanges[] = {
#include "model/unicode_classes.def"
};
#undef RANGE

// Every `step`th code point from `first` to `last` is a capital; its small letter is as far from
// `small` as it is from `first`.
struct Capitals {
  char32_t first, last, step, small;
};

#define CASE(first, last, step, small) {first, last, step, small},
constexpr Capitals kCapitals[] = {
#include "model/unicode_case.def"
};
#undef CASE

/// The character at the front of `text`; size 0 if it is not valid UTF-8.
TextChar front_char(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return {first, 0, 1};
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
  if (size == 0 || first > 0xF4 || text.size() < size) return {};
  char32_t value = first & (0x7Fu >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    value = value << 6 | (byte(i) & 0x3Fu);
  }
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < kSmallest[size] || value > 0x10FFFF || surrogate) return {};
  return {value, 0, size};
}

}  // namespace

LetterClass letter_class(char32_t code_point) {
  const Range* found =
      std::lower_bound(std::begin(kRanges), std::end(kRanges), code_point,
                       [](const Range& range, char32_t value) { return range.last < value; });
  if (found == std::end(kRanges) || code_point < found->first) return LetterClass::other;
  return found->kind;
}

CharClass char_class(char32_t code_point) {
  switch (letter_class(code_point)) {
    case LetterClass::letter:
      return CharClass::letter;
    case LetterClass::digit:
    case LetterClass::number:
      return CharClass::number;
    case LetterClass::space:
      return CharClass::space;
    default:
      return CharClass::other;
  }
}

char32_t lower_case(char32_t c) {
  const Capitals* found =
      std::lower_bound(std::begin(kCapitals), std::end(kCapitals), c,
                       [](const Capitals& row, char32_t value) { return row.last < value; });
  if (found == std::end(kCapitals) || c < found->first) return c;
  return (c - found->first) % found->step == 0 ? c - found->first + found->small : c;
}

std::string small_letters(std::string_view text) {
  std::string small;
  for (const TextChar& c : text_chars(text)) {
    const bool stays = c.value == 0x130 || c.value >= 0x10000;
    small += utf8(stays ? c.value : lower_case(c.value));
  }
  return small;
}

std::string utf8(char32_t c) {
  const auto byte = [](char32_t value) { return static_cast<char>(value); };
  if (c < 0x80) return {byte(c)};
  if (c < 0x800) return {byte(0xC0 | c >> 6), byte(0x80 | (c & 63))};
  if (c < 0x10000) return {byte(0xE0 | c >> 12), byte(0x80 | (c >> 6 & 63)), byte(0x80 | (c & 63))};
  return {byte(0xF0 | c >> 18), byte(0x80 | (c >> 12 & 63)), byte(0x80 | (c >> 6 & 63)),
          byte(0x80 | (c & 63))};
}

bool decode_utf8(std::string_view text, std::vector<char32_t>& code_points) {
  code_points.clear();
  for (const TextChar& c : text_chars(text)) {
    if (c.value == 0xFFFD && c.size == 1) return false;  // an invalid byte
    code_points.push_back(c.value);
  }
  return true;
}

std::vector<TextChar> text_chars(std::string_view text) {
  std::vector<TextChar> chars;
  chars.reserve(text.size());
  for (std::size_t offset = 0; offset < text.size();) {
    TextChar next = front_char(text.substr(offset));
    if (next.size == 0) next = {0xFFFD, 0, 1};
    next.offset = offset;
    chars.push_back(next);
    offset += next.size;
  }
  return chars;
}

namespace {
// The replacement character itself takes three bytes.
bool is_invalid(const TextChar& character) {
  return character.value == 0xFFFD && character.size == 1;
}
}  // namespace

std::size_t invalid_byte(std::string_view text) {
  for (const TextChar& character : text_chars(text)) {
    if (is_invalid(character)) return character.offset;
  }
  return text.npos;
}

std::string valid_utf8(std::string_view text) {
  std::string valid;
  for (const TextChar& character : text_chars(text)) {
    valid += is_invalid(character) ? "\xEF\xBF\xBD" : text.substr(character.offset, character.size);
  }
  return valid;
}

}  // namespace sb3lm
