#include <algorithm>
#include <charconv>
#include <cstdint>

#include "import/jinja/syntax.h"
#include "model/unicode.h"

namespace sb3lm::jinja {
namespace {

constexpr std::string_view kSpaces = " \t\n\r\v\f";

bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string_view without_end(std::string_view text, std::string_view letters) {
  return text.substr(0, text.find_last_not_of(letters) + 1);
}

class Lexer {
 public:
  Lexer(const std::string& where, std::string_view source) : where_(where), source_(source) {
    if (source_.ends_with('\n')) source_.remove_suffix(1);  // as Jinja does
  }

  std::vector<Token> all() {
    while (at_ < source_.size()) {
      const std::size_t tag = next_tag();
      read_text(tag);
      if (tag < source_.size()) read_tag();
    }
    add(Token::Kind::end);
    return std::move(tokens_);
  }

 private:
  template <class... Args>
  [[noreturn]] void bad(fmt::format_string<Args...> format, Args&&... args) const {
    fail_at(Fault::bad_input, where_, line_, format, std::forward<Args>(args)...);
  }

  bool is_at(std::string_view text) const { return source_.substr(at_).starts_with(text); }

  void go_on(std::size_t letters) {
    const std::string_view passed = source_.substr(at_, letters);
    line_ += static_cast<int>(std::count(passed.begin(), passed.end(), '\n'));
    at_ += passed.size();
  }

  void add(Token::Kind kind, std::string text = {}, Json value = {}) {
    tokens_.push_back(
        {.kind = kind, .line = line_, .text = std::move(text), .value = std::move(value)});
  }

  std::size_t next_tag() const {
    for (std::size_t i = at_; i + 1 < source_.size(); ++i) {
      if (source_[i] != '{') continue;
      const char next = source_[i + 1];
      if (next == '{' || next == '%' || next == '#') return i;
    }
    return source_.size();
  }

  /// What stands before the tag at `end`, without the space that it or the last tag takes away.
  void read_text(std::size_t end) {
    std::string_view text = source_.substr(at_, end - at_);
    if (takes_space_) text.remove_prefix(std::min(text.find_first_not_of(kSpaces), text.size()));
    const char sign = end + 2 < source_.size() ? source_[end + 2] : '\0';
    if (end < source_.size() && sign == '-') {
      text = without_end(text, kSpaces);
    } else if (end < source_.size() && source_[end + 1] != '{' && sign != '+') {
      const std::string_view kept = without_end(text, " \t");
      if (kept.empty() ? at_line_start_ : kept.ends_with('\n')) text = kept;
    }
    if (!text.empty()) add(Token::Kind::text, std::string(text));
    go_on(end - at_);
  }

  void read_tag() {
    const char opener = source_[at_ + 1];
    go_on(2);
    if (opener == '#') {
      const std::size_t end = source_.find("#}", at_);
      if (end == source_.npos) bad("a comment does not end");
      takes_space_ = end > at_ && source_[end - 1] == '-';
      go_on(end + 2 - at_);
      pass_line_end();
      return;
    }
    if (is_at("-") || is_at("+")) go_on(1);
    const bool prints = opener == '{';
    add(prints ? Token::Kind::open_print : Token::Kind::open_block);
    const std::string_view closer = prints ? "}}" : "%}";
    for (int depth = 0;;) {
      go_on(std::min(source_.find_first_not_of(kSpaces, at_), source_.size()) - at_);
      if (at_ >= source_.size()) bad("a tag does not end");
      takes_space_ = depth == 0 && is_at("-") && source_.substr(at_ + 1).starts_with(closer);
      if (takes_space_) go_on(1);
      if (depth == 0 && is_at(closer)) break;
      depth += is_at("{") ? 1 : is_at("}") ? -1 : 0;
      read_token();
    }
    add(prints ? Token::Kind::close_print : Token::Kind::close_block);
    go_on(2);
    if (prints) {
      at_line_start_ = false;
    } else {
      pass_line_end();
    }
  }

  /// The line feed after a block belongs to the block.
  void pass_line_end() {
    at_line_start_ = !takes_space_ && is_at("\n");
    if (at_line_start_) go_on(1);
  }

  void read_token() {
    const char c = source_[at_];
    if (is_name_start(c)) {
      std::size_t end = at_;
      while (end < source_.size() && (is_name_start(source_[end]) || is_digit(source_[end]))) ++end;
      add(Token::Kind::name, std::string(source_.substr(at_, end - at_)));
      go_on(end - at_);
    } else if (is_digit(c)) {
      read_number();
    } else if (c == '\'' || c == '"') {
      read_string(c);
    } else {
      read_symbol();
    }
  }

  void read_number() {
    std::size_t end = at_;
    while (end < source_.size() && (is_digit(source_[end]) || source_[end] == '.')) ++end;
    const std::string_view digits = source_.substr(at_, end - at_);
    const auto read = [&](auto number) {
      const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), number);
      if (result.ec != std::errc{} || result.ptr != digits.data() + digits.size()) {
        bad("'{}' is no number", digits);
      }
      add(Token::Kind::value, {}, number);
    };
    if (digits.find('.') == digits.npos) {
      read(std::int64_t{0});
    } else {
      read(0.0);
    }
    go_on(digits.size());
  }

  void read_string(char quote) {
    std::string text;
    for (go_on(1);; go_on(1)) {
      if (at_ >= source_.size()) bad("a string does not end");
      const char c = source_[at_];
      if (c == quote) break;
      if (c != '\\') {
        text += c;
        continue;
      }
      go_on(1);
      if (at_ >= source_.size()) bad("a string does not end");
      append_escaped(source_[at_], text);
    }
    go_on(1);
    add(Token::Kind::value, {}, std::move(text));
  }

  void append_escaped(char c, std::string& text) {
    constexpr std::string_view kLetters = "nrt\\'\"", kMeanings = "\n\r\t\\'\"";
    if (const std::size_t i = kLetters.find(c); i != kLetters.npos) {
      text += kMeanings[i];
    } else if (c == 'u' || c == 'x') {
      const std::size_t digits = c == 'u' ? 4 : 2;
      const std::string_view hex = source_.substr(at_ + 1, digits);
      std::uint32_t code = 0;
      const auto result = std::from_chars(hex.data(), hex.data() + hex.size(), code, 16);
      if (hex.size() < digits || result.ptr != hex.data() + hex.size()) {
        bad("\\{} needs {} hex digits", c, digits);
      }
      if (code >= 0xD800 && code < 0xE000) bad("\\u{} is half a letter", hex);
      text += utf8(code);
      go_on(digits);
    } else {
      bad("'\\{}' in a string is not understood", c);
    }
  }

  void read_symbol() {
    for (const std::string_view two : {"==", "!=", "<=", ">=", "//", "**"}) {
      if (is_at(two)) return add_symbol(two);
    }
    const std::string_view one = source_.substr(at_, 1);
    if (std::string_view("+-*/%~<>=.,:|()[]{}").find(one) == one.npos) {
      bad("'{}' is not understood", one);
    }
    add_symbol(one);
  }

  void add_symbol(std::string_view symbol) {
    add(Token::Kind::symbol, std::string(symbol));
    go_on(symbol.size());
  }

  const std::string& where_;
  std::string_view source_;
  std::size_t at_ = 0;
  int line_ = 1;
  bool takes_space_ = false;   // the last tag takes away the space after it
  bool at_line_start_ = true;  // of what comes next
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokens_of(const std::string& where, std::string_view source) {
  return Lexer(where, source).all();
}

}  // namespace sb3lm::jinja
