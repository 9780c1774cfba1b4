#include "model/tokenizer.h"

#include <algorithm>
#include <queue>
#include <tuple>

#include "base/error.h"
#include "model/word_split.h"

namespace sb3lm {
namespace {

/// Ids of one piece, merged step by step. A queue holds every pair that may merge, so that a long
/// piece takes n log n steps; pairs that a merge has destroyed are skipped when they come up.
class Merger {
 public:
  explicit Merger(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  void merge(std::vector<int>& ids) {
    const auto size = static_cast<int>(ids.size());
    ids_ = &ids;
    next_.resize(ids.size());
    before_.resize(ids.size());
    for (int i = 0; i < size; ++i) {
      next_[at(i)] = i + 1 < size ? i + 1 : -1;
      before_[at(i)] = i - 1;
    }
    for (int i = 0; i + 1 < size; ++i) offer(i);
    while (!queue_.empty()) {
      const Candidate candidate = queue_.top();
      queue_.pop();
      apply(candidate);
    }
    std::erase(ids, kGone);
  }

 private:
  static constexpr int kGone = -1;

  struct Candidate {
    int rank, position;
    const Merge* merge;
    /// The queue's top is the largest: lowest rank, then leftmost.
    bool operator<(const Candidate& other) const {
      return std::tie(rank, position) > std::tie(other.rank, other.position);
    }
  };

  static std::size_t at(int index) { return static_cast<std::size_t>(index); }

  const Merge* find(int left, int right) const {
    const auto& merges = tokenizer_.merges;
    const auto found = std::lower_bound(merges.begin(), merges.end(), std::pair(left, right),
                                        [](const Merge& m, const std::pair<int, int>& pair) {
                                          return std::pair(m.left, m.right) < pair;
                                        });
    if (found == merges.end() || found->left != left || found->right != right) return nullptr;
    return &*found;
  }

  /// Queues the pair that starts at `position`, if it may merge.
  void offer(int position) {
    if (position < 0 || next_[at(position)] < 0) return;
    const Merge* merge = find((*ids_)[at(position)], (*ids_)[at(next_[at(position)])]);
    if (merge != nullptr) queue_.push({merge->rank, position, merge});
  }

  void apply(const Candidate& candidate) {
    std::vector<int>& ids = *ids_;
    const int left = candidate.position;
    const int right = next_[at(left)];
    const bool alive = ids[at(left)] == candidate.merge->left && right >= 0 &&
                       ids[at(right)] == candidate.merge->right;
    if (!alive) return;
    ids[at(left)] = candidate.merge->result;
    ids[at(right)] = kGone;
    next_[at(left)] = next_[at(right)];
    if (next_[at(left)] >= 0) before_[at(next_[at(left)])] = left;
    offer(before_[at(left)]);
    offer(left);
  }

  const Tokenizer& tokenizer_;
  std::vector<int>* ids_ = nullptr;
  std::vector<int> next_, before_;
  std::priority_queue<Candidate> queue_;
};

void push_bytes(const Tokenizer& tokenizer, std::string_view bytes, std::vector<int>& ids) {
  for (const char c : bytes) {
    const int id = tokenizer.byte_token[static_cast<unsigned char>(c)];
    if (id >= 0) {
      ids.push_back(id);
    } else if (tokenizer.unknown >= 0) {
      ids.push_back(tokenizer.unknown);
    }
  }
}

/// A byte that starts a character, with up to three that continue it (invalid text too, except that
/// nothing continues ASCII).
std::size_t glued_size(std::string_view text) {
  std::size_t size = 1;
  if ((text[0] & 0x80) == 0) return size;
  while (size < 4 && size < text.size() && (text[size] & 0xC0) == 0x80) ++size;
  return size;
}

std::vector<int> first_ids(const Tokenizer& tokenizer, std::string_view piece) {
  std::vector<int> ids;
  if (tokenizer.kind == TokenizerKind::byte_bpe) {
    push_bytes(tokenizer, piece, ids);
    return ids;
  }
  while (!piece.empty()) {
    const std::string_view symbol = piece.substr(0, glued_size(piece));
    const auto found = tokenizer.alphabet.find(std::string(symbol));
    if (found != tokenizer.alphabet.end()) {
      ids.push_back(found->second);
    } else {
      push_bytes(tokenizer, symbol, ids);
    }
    piece.remove_prefix(symbol.size());
  }
  return ids;
}

void append_text(const Tokenizer& tokenizer, std::string_view text, bool at_start,
                 std::vector<int>& ids) {
  if (text.empty()) return;
  std::string prefixed;
  const bool has_space = tokenizer.prefix_unless_space && text.starts_with(' ');
  if (tokenizer.prefix_space && !has_space && (at_start || !tokenizer.prefix_only_at_start)) {
    prefixed = " " + std::string(text);
    text = prefixed;
  }
  Merger merger(tokenizer);
  for (const std::string_view piece : split_words(tokenizer.split, text)) {
    std::vector<int> piece_ids = first_ids(tokenizer, piece);
    merger.merge(piece_ids);
    ids.insert(ids.end(), piece_ids.begin(), piece_ids.end());
  }
}

/// The special token whose name is the longest that `text` starts with, -1 if none.
int special_at_front(const Tokenizer& tokenizer, std::string_view text) {
  int best = -1;
  std::size_t best_size = 0;
  for (std::size_t id = 0; id < tokenizer.tokens.size(); ++id) {
    const Token& token = tokenizer.tokens[id];
    if (token.type != TokenType::special || token.text.size() <= best_size) continue;
    if (!text.starts_with(token.text)) continue;
    best = static_cast<int>(id);
    best_size = token.text.size();
  }
  return best;
}

}  // namespace

std::vector<int> encode(const Tokenizer& tokenizer, std::string_view text, bool with_bos) {
  check(tokenizer.present(), "text without a tokenizer");
  std::vector<int> ids;
  if (with_bos && tokenizer.add_bos && tokenizer.bos >= 0) ids.push_back(tokenizer.bos);
  append_text(tokenizer, text, true, ids);
  return ids;
}

std::string decode(const Tokenizer& tokenizer, const std::vector<int>& ids) {
  std::string text;
  for (const int id : ids) {
    if (id < 0 || static_cast<std::size_t>(id) >= tokenizer.tokens.size()) {
      fail(Fault::usage, "token {} is outside the vocabulary of {}", id, tokenizer.tokens.size());
    }
    const Token& token = tokenizer.tokens[static_cast<std::size_t>(id)];
    if (token.type != TokenType::special) text += token.text;
  }
  if (tokenizer.strip_leading_space && text.starts_with(' ')) text.erase(0, 1);
  return text;
}

int special_id(const Tokenizer& tokenizer, std::string_view name) {
  for (std::size_t id = 0; id < tokenizer.tokens.size(); ++id) {
    const Token& token = tokenizer.tokens[id];
    if (token.type == TokenType::special && token.text == name) return static_cast<int>(id);
  }
  return -1;
}

std::vector<TemplatePart> parse_template(const Tokenizer& tokenizer, std::string_view text) {
  constexpr std::string_view kUser = "{user}";
  std::vector<TemplatePart> parts;
  while (!text.empty()) {
    if (text.starts_with(kUser)) {
      parts.push_back({TemplatePart::Kind::user, -1, ""});
      text.remove_prefix(kUser.size());
      continue;
    }
    if (const int id = special_at_front(tokenizer, text); id >= 0) {
      parts.push_back({TemplatePart::Kind::token, id, ""});
      text.remove_prefix(tokenizer.tokens[static_cast<std::size_t>(id)].text.size());
      continue;
    }
    if (parts.empty() || parts.back().kind != TemplatePart::Kind::text) parts.emplace_back();
    parts.back().text += text.front();
    text.remove_prefix(1);
  }
  return parts;
}

std::vector<int> apply_template(const Tokenizer& tokenizer, const std::vector<TemplatePart>& parts,
                                std::string_view user, bool at_start) {
  std::vector<int> ids;
  std::string run;  // text since the last special token
  for (const TemplatePart& part : parts) {
    if (part.kind == TemplatePart::Kind::user) run += user;
    if (part.kind == TemplatePart::Kind::text) run += part.text;
    if (part.kind != TemplatePart::Kind::token) continue;
    append_text(tokenizer, run, at_start && ids.empty(), ids);
    run.clear();
    ids.push_back(part.token);
  }
  append_text(tokenizer, run, at_start && ids.empty(), ids);
  return ids;
}

}  // namespace sb3lm
