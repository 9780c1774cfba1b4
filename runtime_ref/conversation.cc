#include "runtime_ref/conversation.h"

#include <numeric>

#include "base/error.h"

namespace sb3lm {
namespace {

std::size_t most_kept(std::size_t context) {
  return context - (context + 3) / 4;
}

}  // namespace

std::size_t first_kept_turn(std::span<const std::size_t> turn_sizes, std::size_t head,
                            std::size_t context) {
  check(!turn_sizes.empty(), "a conversation without turns");
  std::size_t sum = std::accumulate(turn_sizes.begin(), turn_sizes.end(), std::size_t{0});
  std::size_t first = 0;
  while (first + 1 < turn_sizes.size() && sum + (first > 0 ? head : 0) > most_kept(context)) {
    sum -= turn_sizes[first++];
  }
  return first;
}

Conversation::Conversation(std::vector<int> head, int context)
    : head_(std::move(head)), context_(static_cast<std::size_t>(context)) {}

void Conversation::start_turn(std::span<const int> tokens) {
  turns_.emplace_back(tokens.begin(), tokens.end());
}

void Conversation::add(int token) {
  check(!turns_.empty(), "a reply before any turn");
  turns_.back().push_back(token);
}

void Conversation::clear() {
  turns_.clear();
  shifted_ = false;
}

std::size_t Conversation::size() const {
  std::size_t sum = shifted_ ? head_.size() : 0;
  for (const std::vector<int>& turn : turns_) sum += turn.size();
  return sum;
}

std::vector<int> Conversation::tokens() const {
  std::vector<int> all;
  if (shifted_) all = head_;
  for (const std::vector<int>& turn : turns_) all.insert(all.end(), turn.begin(), turn.end());
  return all;
}

std::size_t Conversation::shift() {
  if (turns_.empty()) return 0;
  std::vector<std::size_t> sizes;
  for (const std::vector<int>& turn : turns_) sizes.push_back(turn.size());
  // Once shifted, the oldest turn has the head in front like every other.
  if (shifted_) sizes.front() += head_.size();
  const std::size_t first = first_kept_turn(sizes, head_.size(), context_);
  turns_.erase(turns_.begin(), turns_.begin() + static_cast<std::ptrdiff_t>(first));
  shifted_ = shifted_ || first > 0;
  return first;
}

}  // namespace sb3lm
