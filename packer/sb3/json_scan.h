// Where things lie in the text of project.json. Knows JSON's brackets and strings and nothing about
// numbers: the text has been read as JSON before (sb3/json_in.h), here only places matter.
#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

#include "base/error.h"

namespace sb3lm {

/// Bytes [begin, end) of project.json.
struct Span {
  std::size_t begin = 0, end = 0;
  std::size_t size() const { return end - begin; }
};

/// A place in the text that moves forward. Throws bad_input with the byte where the text is not
/// what the caller expects there.
class JsonScan {
 public:
  JsonScan(const std::string& file, std::string_view text, std::size_t at)
      : file_(file), text_(text), at_(at) {}

  std::size_t at() const { return at_; }

  /// Calls visit(key); it must consume the value and may return false to stop.
  template <class Visit>
  void object(const Visit& visit) {
    sequence('{', '}', [&] {
      const Span key = string();
      expect(':');
      return visit(text_.substr(key.begin + 1, key.size() - 2));
    });
  }

  /// Calls visit(); it must consume the item and may return false to stop.
  template <class Visit>
  void array(const Visit& visit) {
    sequence('[', ']', visit);
  }

  /// Consumes one value.
  Span value() {
    const char first = peek();
    if (first == '"') return string();
    const std::size_t begin = at_;
    if (first == '{' || first == '[') {
      skip_brackets();
    } else {
      while (at_ < text_.size() && !ends_word(text_[at_])) ++at_;
      if (at_ == begin) broken();
    }
    return {begin, at_};
  }

  Span string() {
    expect('"');
    const std::size_t begin = at_ - 1;
    for (;;) {
      const void* quote = std::memchr(text_.data() + at_, '"', text_.size() - at_);
      if (quote == nullptr) broken();
      const auto end = static_cast<std::size_t>(static_cast<const char*>(quote) - text_.data());
      std::size_t slashes = end;
      while (slashes > at_ && text_[slashes - 1] == '\\') --slashes;
      at_ = end + 1;
      if ((end - slashes) % 2 == 0) return {begin, at_};
    }
  }

  char peek() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
    if (at_ == text_.size()) broken();
    return text_[at_];
  }

  void expect(char letter) {
    if (peek() != letter) broken();
    ++at_;
  }

 private:
  [[noreturn]] void broken() const {
    fail(Fault::bad_input, "{}: project.json: byte {}: not what a project has here", file_, at_);
  }

  static bool is_space(char letter) {
    return letter == ' ' || letter == '\n' || letter == '\r' || letter == '\t';
  }
  static bool ends_word(char letter) {
    return letter == ',' || letter == ']' || letter == '}' || is_space(letter);
  }

  template <class Visit>
  void sequence(char open, char close, const Visit& visit) {
    expect(open);
    if (peek() == close) {
      ++at_;
      return;
    }
    while (visit()) {
      if (peek() == close) {
        ++at_;
        return;
      }
      expect(',');
    }
  }

  void skip_brackets() {
    std::size_t depth = 0;
    while (at_ < text_.size()) {
      const char letter = text_[at_];
      if (letter == '"') {
        string();
        continue;
      }
      ++at_;
      if (letter == '{' || letter == '[') ++depth;
      if ((letter == '}' || letter == ']') && --depth == 0) return;
    }
    broken();
  }

  const std::string& file_;
  std::string_view text_;
  std::size_t at_;
};

}  // namespace sb3lm
