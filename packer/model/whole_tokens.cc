#include "model/whole_tokens.h"

#include <algorithm>
#include <string>

#include "model/unicode.h"

namespace sb3lm {
namespace {

WholeFlags flags_of(const Tokenizer& tokenizer, int id) {
  const auto found = tokenizer.whole_flags.find(id);
  return found == tokenizer.whole_flags.end() ? WholeFlags{} : found->second;
}

// Of \w in regular expressions what classes do not say: letters among numbers and symbols, Pc, and
// the joiners.
constexpr std::pair<char32_t, char32_t> kOtherWords[] = {
    {'_', '_'},         {0x16EE, 0x16F0},   {0x200C, 0x200D},   {0x203F, 0x2040},
    {0x2054, 0x2054},   {0x2160, 0x2188},   {0x24B6, 0x24E9},   {0x3007, 0x3007},
    {0x3021, 0x3029},   {0x3038, 0x303A},   {0xA6E6, 0xA6EF},   {0xFE33, 0xFE34},
    {0xFE4D, 0xFE4F},   {0xFF3F, 0xFF3F},   {0x10140, 0x10174}, {0x10341, 0x10341},
    {0x1034A, 0x1034A}, {0x103D1, 0x103D5}, {0x12400, 0x1246E}, {0x1F130, 0x1F149},
    {0x1F150, 0x1F169}, {0x1F170, 0x1F189}};

bool is_word(char32_t c) {
  const LetterClass kind = letter_class(c);
  return kind == LetterClass::letter || kind == LetterClass::mark || kind == LetterClass::digit ||
         std::any_of(std::begin(kOtherWords), std::end(kOtherWords),
                     [c](const auto& range) { return c >= range.first && c <= range.second; });
}

char32_t last_letter(std::string_view text) {
  std::size_t start = text.size() - 1;
  while (start > 0 && text.size() - start < 4 && (text[start] & 0xC0) == 0x80) --start;
  return text_chars(text.substr(start)).back().value;
}

char32_t first_letter(std::string_view text) {
  return text_chars(text.substr(0, 4)).front().value;
}

bool is_alone(std::string_view before, std::string_view after) {
  return (before.empty() || !is_word(last_letter(before))) &&
         (after.empty() || !is_word(first_letter(after)));
}

std::size_t space_at_end(std::string_view text) {
  std::size_t size = 0;
  const std::vector<TextChar> chars = text_chars(text);
  for (auto c = chars.rbegin(); c != chars.rend(); ++c) {
    if (letter_class(c->value) != LetterClass::space) break;
    size += c->size;
  }
  return size;
}

std::size_t space_at_front(std::string_view text) {
  std::size_t size = 0;
  for (const TextChar& c : text_chars(text)) {
    if (letter_class(c.value) != LetterClass::space) break;
    size += c.size;
  }
  return size;
}

}  // namespace

WholeTokens::WholeTokens(const Tokenizer& tokenizer, bool normalized)
    : tokenizer_(tokenizer), normalized_(normalized) {
  for (const auto& [text, id] : tokenizer.whole) {
    if (flags_of(tokenizer, id).normalized != normalized) continue;
    starts_[static_cast<unsigned char>(text.front())] = true;
    longest_ = std::max(longest_, text.size());
  }
}

WholeTokens::Found WholeTokens::find_at(std::string_view text) const {
  if (!starts_[static_cast<unsigned char>(text.front())]) return {};
  for (std::size_t size = std::min(longest_, text.size()); size > 0; --size) {
    const auto found = tokenizer_.whole.find(std::string(text.substr(0, size)));
    if (found == tokenizer_.whole.end()) continue;
    if (flags_of(tokenizer_, found->second).normalized == normalized_) {
      return {found->second, size};
    }
  }
  return {};
}

std::vector<TextPart> WholeTokens::split(std::string_view text) const {
  if (longest_ == 0) return {{text}};
  std::vector<TextPart> parts;
  std::size_t done = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Found found = find_at(text.substr(at));
    if (found.token < 0) {
      ++at;
      continue;
    }
    std::size_t start = at, end = at + found.size;
    at = end;
    const WholeFlags flags = flags_of(tokenizer_, found.token);
    if (flags.single_word && !is_alone(text.substr(0, start), text.substr(end))) continue;
    if (flags.strip_left) start -= space_at_end(text.substr(done, start - done));
    if (flags.strip_right) end += space_at_front(text.substr(end));
    if (start > done) parts.push_back({text.substr(done, start - done)});
    parts.push_back({text.substr(start, end - start), found.token});
    at = done = end;
  }
  if (done < text.size()) parts.push_back({text.substr(done)});
  return parts;
}

}  // namespace sb3lm
