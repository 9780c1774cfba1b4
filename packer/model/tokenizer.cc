#include "model/tokenizer.h"

#include <algorithm>
#include <queue>
#include <tuple>

#include "base/error.h"
#include "model/unicode.h"
#include "model/whole_tokens.h"
#include "model/word_split.h"

namespace sb3lm {
namespace {

/// Ids of one piece, merged step by step. A queue holds every pair that may merge, so that a long
/// piece takes n log n steps; pairs that a merge has destroyed are skipped when they come up.
class Merger {
 public:
  /// `touched`, if it is not null, gets a mark for each result by id.
  explicit Merger(const Tokenizer& tokenizer, std::vector<bool>* touched = nullptr)
      : tokenizer_(tokenizer), touched_(touched) {}

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
    if (touched_ != nullptr) (*touched_)[at(candidate.merge->result)] = true;
    ids[at(right)] = kGone;
    next_[at(left)] = next_[at(right)];
    if (next_[at(left)] >= 0) before_[at(next_[at(left)])] = left;
    offer(before_[at(left)]);
    offer(left);
  }

  const Tokenizer& tokenizer_;
  std::vector<bool>* touched_;
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

bool has_bytes(const Tokenizer& tokenizer) {
  return tokenizer.byte_token[0] >= 0;
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
  const bool has_marks = tokenizer.rules.present || tokenizer.mark_is_space;
  if (tokenizer.kind == TokenizerKind::byte_bpe) {
    push_bytes(tokenizer, piece, ids);
    return ids;
  }
  while (!piece.empty()) {
    const std::string_view symbol = piece.substr(0, glued_size(piece));
    const auto found = tokenizer.alphabet.find(std::string(symbol));
    if (found != tokenizer.alphabet.end()) {
      ids.push_back(found->second);
    } else if (tokenizer.unknown >= 0 && tokenizer.rules.present && !has_bytes(tokenizer)) {
      ids.push_back(tokenizer.unknown);  // one for a letter, not for each of its bytes
    } else {
      push_bytes(tokenizer, has_marks && symbol == " " ? utf8(kSpaceMark) : symbol, ids);
    }
    piece.remove_prefix(symbol.size());
  }
  return ids;
}

/// Finds whole tokens in texts after the rules and, where a space is not its mark, before them.
class RuledWholeTokens {
 public:
  explicit RuledWholeTokens(const Tokenizer& tokenizer) : whole_(tokenizer.whole) {
    for (const auto& [text, id] : whole_) {
      std::string typed;
      for (const char c : text) typed += c == ' ' ? utf8(kSpaceMark) : std::string(1, c);
      longest_ = std::max(longest_, typed.size());
      typed_.emplace(std::move(typed), id);
    }
  }

  /// The length of the longest one at the front of a text, 0 if there is none.
  std::size_t size_at(std::string_view text) const { return size_at(whole_, text); }
  std::size_t typed_size_at(std::string_view text) const { return size_at(typed_, text); }

 private:
  std::size_t size_at(const std::map<std::string, int>& among, std::string_view text) const {
    for (std::size_t size = std::min(longest_, text.size()); size > 0; --size) {
      if (among.contains(std::string(text.substr(0, size)))) return size;
    }
    return 0;
  }

  const std::map<std::string, int>& whole_;
  std::map<std::string, int> typed_;
  std::size_t longest_ = 0;
};

void append_piece(const Tokenizer& tokenizer, std::string_view piece, std::vector<int>& ids) {
  const std::vector<int> merged = merged_ids(tokenizer, piece);
  if (const auto found = tokenizer.joined.find(merged); found != tokenizer.joined.end()) {
    ids.push_back(found->second);
    return;
  }
  for (const int id : merged) append_undone(tokenizer, id, ids);
}

/// SentencePiece's way: rules, whole tokens, the text between them, runs of unknown letters.
void append_by_rules(const Tokenizer& tokenizer, std::string_view text, bool prefix,
                     std::vector<int>& ids) {
  const RuledWholeTokens whole(tokenizer);
  const std::string normal = apply_rules(tokenizer.rules, text, prefix, [&](std::string_view rest) {
    return whole.typed_size_at(rest);
  });
  const std::size_t before = ids.size();
  std::string_view rest = normal;
  while (!rest.empty()) {
    std::size_t end = 0, size = 0;  // of what no whole token stands for; of the one after it
    while (end < rest.size() && (size = whole.size_at(rest.substr(end))) == 0) {
      end += glued_size(rest.substr(end));
    }
    for (const std::string_view piece : split_words(tokenizer, rest.substr(0, end))) {
      append_piece(tokenizer, piece, ids);
    }
    if (size > 0) ids.push_back(tokenizer.whole.at(std::string(rest.substr(end, size))));
    rest.remove_prefix(end + size);
  }
  if (!tokenizer.fuse_unknown) return;
  const auto first = ids.begin() + static_cast<std::ptrdiff_t>(before);
  const auto last =
      std::unique(first, ids.end(), [&](int a, int b) { return a == b && a == tokenizer.unknown; });
  ids.erase(last, ids.end());
}

/// Hugging Face's way: whole tokens that were typed, what is between them in its normal form, whole
/// tokens there, pieces of the rest.
class PlainText {
 public:
  PlainText(const Tokenizer& tokenizer, bool at_start, std::vector<int>& ids)
      : tokenizer_(tokenizer),
        typed_(tokenizer, false),
        normal_(tokenizer, true),
        at_start_(at_start),
        ids_(ids) {}

  void append(std::string_view text) {
    for (const TextPart& part : typed_.split(text)) {
      if (part.token >= 0) {
        ids_.push_back(part.token);
      } else {
        append_normal(normal_form(part.text));
      }
      at_start_ = false;
    }
  }

 private:
  bool wants_prefix() const {
    return tokenizer_.prefix_space && (at_start_ || !tokenizer_.prefix_only_at_start);
  }

  std::string normal_form(std::string_view typed) const {
    std::string text = normalized(tokenizer_.form, typed);
    if (tokenizer_.mark_is_space) replace_marks(text);
    return wants_prefix() && !tokenizer_.prefix_unless_space ? " " + text : text;
  }

  static void replace_marks(std::string& text) {
    static const std::string mark = utf8(kSpaceMark);
    std::size_t to = 0;
    for (std::size_t at = 0; at < text.size(); ++to) {
      const bool is_mark = text.compare(at, mark.size(), mark) == 0;
      text[to] = is_mark ? ' ' : text[at];
      at += is_mark ? mark.size() : 1;
    }
    text.resize(to);
  }

  void append_normal(const std::string& text) {
    for (const TextPart& part : normal_.split(text)) {
      if (part.token >= 0) {
        ids_.push_back(part.token);
      } else if (wants_prefix() && tokenizer_.prefix_unless_space && part.text[0] != ' ') {
        append_pieces(" " + std::string(part.text));
      } else {
        append_pieces(part.text);
      }
      at_start_ = false;
    }
  }

  void append_pieces(std::string_view text) {
    for (const std::string_view piece : split_words(tokenizer_, text)) {
      append_piece(tokenizer_, piece, ids_);
    }
  }

  const Tokenizer& tokenizer_;
  WholeTokens typed_, normal_;
  bool at_start_;
  std::vector<int>& ids_;
};

void append_text(const Tokenizer& tokenizer, std::string_view text, bool at_start,
                 std::vector<int>& ids) {
  if (text.empty()) return;
  if (!tokenizer.rules.present) {
    PlainText(tokenizer, at_start, ids).append(text);
    return;
  }
  const bool has_space = tokenizer.prefix_unless_space && text.starts_with(' ');
  const bool prefix =
      tokenizer.prefix_space && !has_space && (at_start || !tokenizer.prefix_only_at_start);
  append_by_rules(tokenizer, text, prefix, ids);
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

const Token& token_at(const Tokenizer& tokenizer, int id) {
  if (id < 0 || static_cast<std::size_t>(id) >= tokenizer.tokens.size()) {
    fail(Fault::usage, "token {} is outside the vocabulary of {}", id, tokenizer.tokens.size());
  }
  return tokenizer.tokens[static_cast<std::size_t>(id)];
}

}  // namespace

void append_undone(const Tokenizer& tokenizer, int id, std::vector<int>& ids) {
  const auto found = tokenizer.undone.find(id);
  if (found == tokenizer.undone.end()) {
    ids.push_back(id);
    return;
  }
  append_undone(tokenizer, found->second.first, ids);
  append_undone(tokenizer, found->second.second, ids);
}

std::vector<int> merged_ids(const Tokenizer& tokenizer, std::string_view piece) {
  std::vector<int> ids = first_ids(tokenizer, piece);
  Merger(tokenizer).merge(ids);
  return ids;
}

std::map<std::vector<int>, int> joined_pieces(const std::string& file, const Tokenizer& tokenizer) {
  const bool all_bytes = std::all_of(tokenizer.byte_token.begin(), tokenizer.byte_token.end(),
                                     [](int id) { return id >= 0; });
  if (!all_bytes) {  // else what pieces merge to would not tell them apart
    fail(Fault::unsupported, "{}: ignore_merges in a vocabulary without all bytes is not supported",
         file);
  }
  std::map<std::vector<int>, int> joined;
  for (std::size_t id = 0; id < tokenizer.tokens.size(); ++id) {
    const Token& token = tokenizer.tokens[id];
    if (token.text.empty() || token.type != TokenType::normal) continue;
    std::vector<int> merged = merged_ids(tokenizer, token.text);
    if (merged != std::vector<int>{static_cast<int>(id)}) {
      joined.emplace(std::move(merged), static_cast<int>(id));
    }
  }
  return joined;
}

bool fit_vocabulary(Tokenizer& tokenizer, std::size_t size) {
  auto& tokens = tokenizer.tokens;
  for (std::size_t id = size; id < tokens.size(); ++id) {
    const bool is_needed = !tokens[id].text.empty() && tokens[id].type != TokenType::special &&
                           tokens[id].type != TokenType::whole;
    if (is_needed) return false;
  }
  tokens.resize(size);
  const auto is_gone = [size](int id) { return id >= 0 && static_cast<std::size_t>(id) >= size; };
  std::erase_if(tokenizer.whole, [&](const auto& entry) { return is_gone(entry.second); });
  std::erase_if(tokenizer.whole_flags, [&](const auto& entry) { return is_gone(entry.first); });
  std::erase_if(tokenizer.stop_ids, is_gone);
  if (is_gone(tokenizer.unknown)) tokenizer.unknown = -1;
  if (is_gone(tokenizer.bos)) {
    tokenizer.bos = -1;
    tokenizer.add_bos = false;
  }
  return true;
}

std::vector<int> encode(const Tokenizer& tokenizer, std::string_view text, bool with_bos) {
  check(tokenizer.present(), "text without a tokenizer");
  std::vector<int> ids;
  if (with_bos && tokenizer.add_bos && tokenizer.bos >= 0) ids.push_back(tokenizer.bos);
  append_text(tokenizer, text, true, ids);
  return ids;
}

void mark_made(const Tokenizer& tokenizer, std::string_view piece, std::vector<bool>& marks) {
  std::vector<int> ids = first_ids(tokenizer, piece);
  for (const int id : ids) marks[static_cast<std::size_t>(id)] = true;
  Merger(tokenizer, &marks).merge(ids);
}

TokenBytes token_bytes(const Tokenizer& tokenizer, int id) {
  const Token& token = token_at(tokenizer, id);
  const bool no_text = token.type == TokenType::special || token.type == TokenType::unknown ||
                       token.type == TokenType::unused || id == tokenizer.unknown;
  if (no_text) return {0, false, true};
  if (token.type == TokenType::byte) return {1, false, false};
  std::string_view text = token.text;
  const bool spaced = text.starts_with(' ');
  if (spaced) text.remove_prefix(1);
  // Other spaces are counted as they are written in the vocabulary.
  const auto marks = tokenizer.rules.present ? std::count(text.begin(), text.end(), ' ') : 0;
  const std::size_t more = utf8(kSpaceMark).size() - 1;
  return {static_cast<int>(text.size() + more * static_cast<std::size_t>(marks)), spaced, false};
}

std::string decode(const Tokenizer& tokenizer, const std::vector<int>& ids) {
  std::string text;
  bool strips = tokenizer.strip_leading_space && tokenizer.rules.present;
  for (const int id : ids) {
    const Token& token = token_at(tokenizer, id);
    if (token.type == TokenType::special) continue;
    std::string_view printed = token.text;
    const bool has_mark = token.type != TokenType::byte && token.type != TokenType::unknown;
    if ((strips || tokenizer.strip_every_token) && has_mark && printed.starts_with(' ')) {
      printed.remove_prefix(1);
      strips = tokenizer.strip_each_space;
    }
    text += printed;
    strips = strips && text.empty();
  }
  if (tokenizer.rules.present) return text;
  if (tokenizer.strip_leading_space && text.starts_with(' ')) text.erase(0, 1);
  return text;
}

int special_id(const Tokenizer& tokenizer, std::string_view name) {
  if (name.empty()) return -1;
  for (std::size_t id = 0; id < tokenizer.tokens.size(); ++id) {
    const Token& token = tokenizer.tokens[id];
    if (token.type == TokenType::special && token.text == name) return static_cast<int>(id);
  }
  return -1;
}

std::vector<TemplatePart> parse_template(const Tokenizer& tokenizer, std::string_view text) {
  std::vector<TemplatePart> parts;
  while (!text.empty()) {
    const bool lower = text.starts_with(kSmallUserMark);
    if (lower || text.starts_with(kUserMark)) {
      parts.push_back({.kind = TemplatePart::Kind::user, .lower = lower});
      text.remove_prefix(lower ? kSmallUserMark.size() : kUserMark.size());
      continue;
    }
    if (const int id = special_at_front(tokenizer, text); id >= 0) {
      parts.push_back({.kind = TemplatePart::Kind::token, .token = id});
      text.remove_prefix(tokenizer.tokens[static_cast<std::size_t>(id)].text.size());
      continue;
    }
    if (parts.empty() || parts.back().kind != TemplatePart::Kind::text) parts.emplace_back();
    parts.back().text += text.front();
    text.remove_prefix(1);
  }
  return parts;
}

void leave_end_to_reply(ChatTemplate& chat) {
  if (chat.next.empty() || chat.next.front().kind != TemplatePart::Kind::token) return;
  const auto end = std::find(chat.stop_ids.begin(), chat.stop_ids.end(), chat.next.front().token);
  if (end == chat.stop_ids.end()) return;
  std::rotate(chat.stop_ids.begin(), end, end + 1);
  chat.next.erase(chat.next.begin());
}

bool lowers_user(const ChatTemplate& chat) {
  const auto lowers = [](const TemplatePart& part) { return part.lower; };
  return std::any_of(chat.first.begin(), chat.first.end(), lowers) ||
         std::any_of(chat.next.begin(), chat.next.end(), lowers);
}

std::vector<int> apply_template(const Tokenizer& tokenizer, const std::vector<TemplatePart>& parts,
                                std::string_view user, bool at_start) {
  std::vector<int> ids;
  std::string run;  // text since the last special token
  for (const TemplatePart& part : parts) {
    if (part.kind == TemplatePart::Kind::user) run += part.lower ? small_letters(user) : user;
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
