#include "support/saved_text.h"

#include <algorithm>
#include <vector>

#include "model/unicode.h"

namespace sb3lm::test {

std::string unescaped_json(const std::string& json) {
  std::string text;
  for (std::size_t i = 0; i < json.size(); ++i) {
    text += json[i];
    if (json[i] != '\\') continue;
    const char escaped = json[++i];
    const bool is_control = escaped == 'b' || escaped == 'f' || escaped == 'u';
    text += is_control ? '\b' : escaped;
  }
  return text;
}

bool can_be_saved(const std::string& text) {
  std::vector<char32_t> letters;
  return decode_utf8(text, letters) && std::none_of(letters.begin(), letters.end(), [](char32_t c) {
           return (c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == 0x7F ||
                  (c >= 0xD800 && c < 0xE000);
         });
}

}  // namespace sb3lm::test
