// Streaming JSON writer: it alone owns commas, nesting and escapes. Minified; numbers are the
// shortest text that reads back to the same double.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sb3lm {

class JsonOut {
 public:
  JsonOut& begin_object() { return open('{', '}'); }
  JsonOut& begin_array() { return open('[', ']'); }
  /// Closes the innermost object or array.
  JsonOut& end();

  JsonOut& key(std::string_view name);
  /// Throws Error(bug) if `text` is not valid UTF-8.
  JsonOut& string(std::string_view text);
  /// Throws Error(bug) if `value` is not finite: JSON has no text for it.
  JsonOut& number(double value);
  JsonOut& boolean(bool value) { return word(value ? "true" : "false"); }
  JsonOut& null() { return word("null"); }
  /// What another writer wrote: `"name":value` in an object, a value in an array.
  JsonOut& raw(std::string_view text) { return word(text); }
  /// `count` times the number 0, as array items.
  JsonOut& zeros(std::size_t count);

  /// The finished text. Throws Error(bug) while something is still open.
  std::string take();

 private:
  JsonOut& open(char begin, char end);
  JsonOut& word(std::string_view text);
  void separate();
  void quoted(std::string_view text);

  std::string out_;
  std::string closers_;  // of the open objects and arrays, innermost last
  bool need_comma_ = false;
};

/// The shortest JSON number that reads back to `value`, which must be finite.
std::string json_number_text(double value);

}  // namespace sb3lm
