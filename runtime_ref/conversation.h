// What a chat keeps when its context is full: the oldest whole turns go, and what stays is run
// again from position 0. Token arithmetic only; the blocks follow the same rule.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace sb3lm {

/// The turns to keep, as the index of the first: the oldest one from which on all turns, with
/// `head` tokens in front unless it is turn 0, leave at least a quarter of `context` free (rounded
/// up). The newest turn stays in any case, so it may be returned although it does not leave that
/// much. Not for an empty list.
std::size_t first_kept_turn(std::span<const std::size_t> turn_sizes, std::size_t head,
                            std::size_t context);

/// The tokens of a chat, turn by turn. A turn is what the template made of the user's text, then
/// the reply; the token that closes a reply belongs to its turn.
class Conversation {
 public:
  /// `head` is put in front once the first turn is gone: the start token, where the template of a
  /// first turn begins with one.
  Conversation(std::vector<int> head, int context);

  void start_turn(std::span<const int> tokens);
  /// Appends to the newest turn.
  void add(int token);
  void clear();

  std::size_t size() const;  // of tokens()
  std::vector<int> tokens() const;
  bool empty() const { return turns_.empty(); }

  /// Drops turns as first_kept_turn says, and returns how many went.
  std::size_t shift();

 private:
  std::vector<int> head_;
  std::size_t context_;
  bool shifted_ = false;
  std::vector<std::vector<int>> turns_;
};

}  // namespace sb3lm
