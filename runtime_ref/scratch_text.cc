#include "runtime_ref/scratch_text.h"

#include <algorithm>
#include <array>
#include <memory>

#include "base/error.h"
#include "model/unicode.h"

namespace sb3lm {
namespace {

// V8 refuses strings not much longer (2^29 letters).
constexpr std::size_t kMaxText = std::size_t{1} << 29;

bool all_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// The code point at `at`, which moves behind it. The text is well-formed WTF-8; anything else gives
// some code point without reading past the end.
char32_t next_point(std::string_view text, std::size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at++]);
  const int tail = lead < 0xC0 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
  char32_t point = lead;
  if (tail > 0) point = lead & (0x3F >> tail);
  for (int i = 0; i < tail && at < text.size(); ++i) {
    point = point << 6 | (static_cast<unsigned char>(text[at++]) & 0x3F);
  }
  return point;
}

void append_point(std::string& out, char32_t point) {
  const auto byte = [&](char32_t value) { out += static_cast<char>(value); };
  if (point < 0x80) {
    byte(point);
  } else if (point < 0x800) {
    byte(0xC0 | point >> 6), byte(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    byte(0xE0 | point >> 12), byte(0x80 | (point >> 6 & 0x3F)), byte(0x80 | (point & 0x3F));
  } else {
    byte(0xF0 | point >> 18), byte(0x80 | (point >> 12 & 0x3F));
    byte(0x80 | (point >> 6 & 0x3F)), byte(0x80 | (point & 0x3F));
  }
}

std::u16string to_units(std::string_view text) {
  std::u16string units;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t point = next_point(text, at);
    if (point < 0x10000) {
      units += static_cast<char16_t>(point);
    } else {
      units += static_cast<char16_t>(0xD7C0 + (point >> 10));
      units += static_cast<char16_t>(0xDC00 + (point & 0x3FF));
    }
  }
  return units;
}

bool ends_with_high_half(const std::string& text) {
  const std::size_t size = text.size();
  return size >= 3 && text[size - 3] == '\xED' &&
         static_cast<unsigned char>(text[size - 2]) >= 0xA0 &&
         static_cast<unsigned char>(text[size - 2]) < 0xB0;
}

bool starts_with_low_half(const std::string& text) {
  return text.size() >= 3 && text[0] == '\xED' && static_cast<unsigned char>(text[1]) >= 0xB0;
}

}  // namespace

Text::Text(std::string utf8)
    : shared_(utf8.size() == 1 && all_ascii(utf8) ? one_letter(static_cast<unsigned char>(utf8[0]))
                                                  : nullptr) {
  if (shared_ != nullptr) return;
  const bool ascii = all_ascii(utf8);
  shared_ = new Shared{1, ascii, false, std::move(utf8), {}};
}

Text::Shared* Text::one_letter(unsigned char letter) {
  static const std::array<std::unique_ptr<Shared>, 128> table = [] {
    std::array<std::unique_ptr<Shared>, 128> letters;
    for (std::size_t i = 0; i < letters.size(); ++i) {
      letters[i].reset(new Shared{kForever, true, false, std::string(1, static_cast<char>(i)), {}});
    }
    return letters;
  }();
  return table[letter].get();
}

std::size_t Text::length() const {
  return is_ascii() ? str().size() : utf16().size();
}

const std::u16string& Text::utf16() const {
  if (!shared_->has_wide) {
    shared_->wide = to_units(shared_->utf8);
    shared_->has_wide = true;
  }
  return shared_->wide;
}

Text Text::letter(std::size_t index) const {
  if (is_ascii()) return Text(one_letter(static_cast<unsigned char>(str()[index])));
  const char16_t unit = utf16()[index];
  if (unit < 0x80) return Text(one_letter(static_cast<unsigned char>(unit)));
  std::string out;
  append_point(out, unit);
  return Text(std::move(out));
}

Text join(const Text& left, const Text& right) {
  if (left.str().size() + right.str().size() > kMaxText) {
    fail(Fault::bad_input, "a text grows over {} bytes", kMaxText);
  }
  if (!ends_with_high_half(left.str()) || !starts_with_low_half(right.str())) {
    return Text(left.str() + right.str());
  }
  std::size_t at = left.str().size() - 3;
  std::string out = left.str().substr(0, at);
  const char32_t high = next_point(left.str(), at);
  at = 0;
  const char32_t low = next_point(right.str(), at);
  append_point(out, 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00));
  return Text(out + right.str().substr(at));
}

std::string lower_case(const Text& text) {
  std::string out;
  out.reserve(text.str().size());
  if (text.is_ascii()) {
    for (const char c : text.str()) out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return out;
  }
  for (std::size_t at = 0; at < text.str().size();) {
    const char32_t point = next_point(text.str(), at);
    if (point == 0x130) {  // a capital I with a dot becomes two code points
      out += "i\xCC\x87";
    } else {
      append_point(out, lower_case(point));
    }
  }
  return out;
}

int compare_units(const std::string& left, const std::string& right) {
  if (all_ascii(left) || all_ascii(right)) return left.compare(right);
  return to_units(left).compare(to_units(right));
}

}  // namespace sb3lm
