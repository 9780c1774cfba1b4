// Tokens that stand for their text wherever it occurs, as Hugging Face's library finds those that
// were added to a vocabulary: the longest at each place, from left to right.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "model/tokenizer.h"

namespace sb3lm {

/// A token, or the text between two.
struct TextPart {
  std::string_view text;
  int token = -1;
};

class WholeTokens {
 public:
  /// Those with or without WholeFlags::normalized. The tokenizer must outlive it.
  WholeTokens(const Tokenizer& tokenizer, bool normalized);

  /// The parts in order; together they are the text. None of them is empty.
  std::vector<TextPart> split(std::string_view text) const;

 private:
  struct Found {
    int token = -1;
    std::size_t size = 0;
  };
  Found find_at(std::string_view text) const;

  const Tokenizer& tokenizer_;
  bool normalized_;
  std::array<bool, 256> starts_{};  // bytes that one begins with
  std::size_t longest_ = 0;
};

}  // namespace sb3lm
