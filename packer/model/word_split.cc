#include "model/word_split.h"

#include <algorithm>
#include <array>

#include "model/unicode.h"

namespace sb3lm {
namespace {

std::vector<std::string_view> split_before_spaces(std::string_view text) {
  std::vector<std::string_view> pieces;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' ', 1), text.size());
    pieces.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return pieces;
}

/// GPT-2's pattern, tried in this order at every position:
///   's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
class Gpt2Splitter {
 public:
  explicit Gpt2Splitter(std::string_view text) : text_(text), chars_(text_chars(text)) {
    for (const TextChar& c : chars_) classes_.push_back(char_class(c.value));
  }

  std::vector<std::string_view> split() {
    std::vector<std::string_view> pieces;
    for (std::size_t at = 0; at < chars_.size();) {
      const std::size_t end = match(at);
      pieces.push_back(text_.substr(offset(at), offset(end) - offset(at)));
      at = end;
    }
    return pieces;
  }

 private:
  std::size_t offset(std::size_t at) const {
    return at < chars_.size() ? chars_[at].offset : text_.size();
  }

  /// First position from `at` on that is not of this class.
  std::size_t run_end(std::size_t at, CharClass kind) const {
    while (at < classes_.size() && classes_[at] == kind) ++at;
    return at;
  }

  std::size_t match(std::size_t at) const {
    for (const std::string_view ending : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}) {
      if (text_.substr(offset(at)).starts_with(ending)) return at + ending.size();
    }
    const bool after_space =
        chars_[at].value == U' ' && at + 1 < chars_.size() && classes_[at + 1] != CharClass::space;
    const std::size_t word = after_space ? at + 1 : at;
    if (classes_[word] != CharClass::space) return run_end(word, classes_[word]);
    const std::size_t end = run_end(at, CharClass::space);
    // The last space before a word belongs to the word, unless it is the only one.
    return end == chars_.size() || end == at + 1 ? end : end - 1;
  }

  std::string_view text_;
  std::vector<TextChar> chars_;
  std::vector<CharClass> classes_;
};

}  // namespace

std::vector<std::string_view> split_words(WordSplit split, std::string_view text) {
  if (text.empty()) return {};
  if (split == WordSplit::before_space) return split_before_spaces(text);
  if (split == WordSplit::gpt2) return Gpt2Splitter(text).split();
  return {text};
}

std::vector<std::string_view> split_words(const Tokenizer& tokenizer, std::string_view text) {
  if (tokenizer.split == WordSplit::steps) return cut_by_steps(tokenizer.cuts, text);
  return split_words(tokenizer.split, text);
}

}  // namespace sb3lm
