// A walk that knows JSON's brackets and strings and nothing about numbers: the text has been read
// as JSON before, here only places matter.
#include "report/project_map.h"

#include <cstring>

#include "base/error.h"

namespace sb3lm {
namespace {

class Cursor {
 public:
  Cursor(const std::string& file, std::string_view text, std::size_t at)
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

void read_lists(Cursor& in, std::string_view text, std::vector<ListSpan>& lists) {
  in.object([&](std::string_view) {
    ListSpan& list = lists.emplace_back();
    int field = 0;
    in.array([&] {
      const Span span = in.value();
      if (field == 0)
        list.name = text.substr(span.begin + 1, span.size() < 2 ? 0 : span.size() - 2);
      if (field == 1) list.items = span;
      ++field;
      return true;
    });
    return true;
  });
}

TargetSpans read_target(Cursor& in, std::string_view text) {
  TargetSpans target;
  in.object([&](std::string_view key) {
    if (key == "lists") {
      read_lists(in, text, target.lists);
    } else if (key == "blocks") {
      target.blocks = in.value();
    } else if (key == "costumes") {
      target.costumes = in.value();
    } else {
      in.value();
    }
    return true;
  });
  return target;
}

}  // namespace

const ListSpan* ProjectMap::find_list(std::string_view name) const {
  for (const TargetSpans& target : targets) {
    for (const ListSpan& list : target.lists) {
      if (list.name == name) return &list;
    }
  }
  return nullptr;
}

ProjectMap map_project(const std::string& file, std::string_view text) {
  ProjectMap map{.file = file, .text = text};
  Cursor in(map.file, text, 0);
  in.object([&](std::string_view key) {
    if (key != "targets") {
      in.value();
      return true;
    }
    in.array([&] {
      map.targets.push_back(read_target(in, text));
      return true;
    });
    return true;
  });
  return map;
}

void for_each_item(const ProjectMap& map, Span array, const std::function<bool(Span)>& visit) {
  Cursor in(map.file, map.text, array.begin);
  in.array([&] { return visit(in.value()); });
}

Span trailing_zeros(std::string_view text, Span array) {
  if (array.size() < 3) return {array.end, array.end};
  const std::size_t end = array.end - 1;  // the bracket
  std::size_t at = end;
  // An item that is only the digit 0 has a comma or the bracket before it.
  while (at - array.begin >= 2 && text[at - 1] == '0' &&
         (text[at - 2] == ',' || text[at - 2] == '[')) {
    const bool first = text[at - 2] == '[';
    at -= first ? 1 : 2;
    if (first) break;
  }
  return {at, end};
}

}  // namespace sb3lm
