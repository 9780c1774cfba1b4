// The merges and token texts that the text blocks look up.
#include "kernels/text_tables.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "model/unicode.h"
#include "scratch/player_limits.h"

namespace sb3lm {

using scratch::Scalar;

namespace {

const Token& token_of(const Tokenizer& tokenizer, int id) {
  return tokenizer.tokens.at(static_cast<std::size_t>(id));
}

// True if `merge` may join the end of a word and a space after it, or its tokens' texts do not say.
bool may_cross_space(const Tokenizer& tokenizer, const Merge& merge) {
  const std::string& left = token_of(tokenizer, merge.left).text;
  const std::string& right = token_of(tokenizer, merge.right).text;
  if (token_of(tokenizer, merge.result).text != left + right || left.empty() || right.empty()) {
    return true;
  }
  return left.back() != ' ' && right.front() == ' ';
}

// A part is no later result than the merge's own.
bool is_made_before(int part, int result, const MergePairs& pairs, std::size_t merges) {
  return part < result || part >= pairs.first_result + static_cast<int>(merges);
}

// The blocks join the parts' texts, those of bytes being empty, unless a text is there already.
bool has_text_of_parts(const Tokenizer& tokenizer, const Merge& merge) {
  const Token& result = token_of(tokenizer, merge.result);
  if (stands_in_bytes(result)) return true;
  if (result.text.size() > kMaxTokenBytes) return false;
  const Token& left = token_of(tokenizer, merge.left);
  const Token& right = token_of(tokenizer, merge.right);
  if (stands_in_bytes(left) || stands_in_bytes(right)) {
    return stands_in_bytes(left) && stands_in_bytes(right) && !result.text.empty();
  }
  return result.text == left.text + right.text;
}

bool rank_is_order_of_result(std::vector<Merge> merges) {
  std::sort(merges.begin(), merges.end(),
            [](const Merge& a, const Merge& b) { return a.result < b.result; });
  for (std::size_t i = 1; i < merges.size(); ++i) {
    const Merge& a = merges[i - 1];
    const Merge& b = merges[i];
    if ((a.result == b.result) != (a.rank == b.rank) || a.rank > b.rank) return false;
  }
  return true;
}

bool rank_decides_result(const std::vector<Merge>& merges) {
  std::map<int, int> result_of;
  for (const Merge& m : merges) {
    if (result_of.emplace(m.rank, m.result).first->second != m.result) return false;
  }
  return true;
}

// Dense ranks keep the numbers short: 1 is the first to merge.
std::map<int, int> dense_ranks(const std::vector<Merge>& merges) {
  std::map<int, int> dense;
  for (const Merge& m : merges) dense[m.rank] = 0;
  int next = 0;
  for (auto& [rank, place] : dense) place = ++next;
  return dense;
}

// Those that no text needs.
bool is_control(char32_t c) {
  return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || (c >= 0x7F && c < 0xA0);
}

}  // namespace

bool in_sections(const Tokenizer& tokenizer) {
  return !tokenizer.rules.present &&
         (tokenizer.form != NormalForm::none || tokenizer.split == WordSplit::steps ||
          !tokenizer.whole.empty());
}

std::vector<Scalar> byte_ids(const Tokenizer& tokenizer) {
  std::vector<Scalar> ids;
  for (const int id : tokenizer.byte_token) {
    ids.emplace_back(static_cast<double>(id >= 0 ? id : tokenizer.unknown));
  }
  return ids;
}

Cut piece_cut(const Tokenizer& tokenizer) {
  if (tokenizer.split == WordSplit::before_space) return Cut::every_space;
  if (tokenizer.split == WordSplit::gpt2) return Cut::gpt2;
  for (const Merge& merge : tokenizer.merges) {
    if (may_cross_space(tokenizer, merge)) return Cut::none;
  }
  return Cut::space_after_letter;
}

MergeLists merge_lists(const Tokenizer& tokenizer) {
  const std::vector<Merge>& merges = tokenizer.merges;
  MergeLists lists;
  std::size_t at = 0;
  for (int left = 0; left <= static_cast<int>(tokenizer.tokens.size()); ++left) {
    lists.first.emplace_back(static_cast<double>(at + 1));
    while (at < merges.size() && merges[at].left == left) ++at;
  }
  check(at == merges.size(), "merges are not sorted by their left symbol");
  using Result = MergeLists::Result;
  lists.kind = rank_is_order_of_result(merges) ? Result::is_rank
               : rank_decides_result(merges)   ? Result::by_rank
                                               : Result::by_merge;
  const std::map<int, int> dense = dense_ranks(merges);
  if (lists.kind == Result::by_rank) lists.result.resize(dense.size());
  for (const Merge& m : merges) {
    const int rank = dense.at(m.rank);
    const auto result = static_cast<double>(m.result);
    lists.right.emplace_back(static_cast<double>(m.right));
    lists.rank.emplace_back(lists.kind == Result::is_rank ? result : static_cast<double>(rank));
    if (lists.kind == Result::by_merge) lists.result.emplace_back(result);
    if (lists.kind == Result::by_rank) lists.result[static_cast<std::size_t>(rank - 1)] = result;
  }
  return lists;
}

std::optional<MergePairs> merge_pairs(const Tokenizer& tokenizer) {
  std::vector<Merge> merges = tokenizer.merges;
  // Both sides of all pairs are added to one list while the project loads.
  if (merges.empty() || merges.size() > kMostListItems / 2) return std::nullopt;
  std::sort(merges.begin(), merges.end(),
            [](const Merge& a, const Merge& b) { return a.rank < b.rank; });
  MergePairs pairs{.first_result = merges[0].result};
  for (std::size_t k = 0; k < merges.size(); ++k) {
    const Merge& m = merges[k];
    const bool in_order = m.result == pairs.first_result + static_cast<int>(k) &&
                          (k == 0 || m.rank > merges[k - 1].rank) &&
                          is_made_before(m.left, m.result, pairs, merges.size()) &&
                          is_made_before(m.right, m.result, pairs, merges.size());
    if (!in_order || !has_text_of_parts(tokenizer, m)) return std::nullopt;
    pairs.parts.emplace_back(m.left, m.right);
  }
  return pairs;
}

bool stands_in_bytes(const Token& token) {
  // No control characters: Scratch's reader of projects drops backspaces, its server refuses
  // others.
  std::vector<char32_t> code_points;
  return token.type == TokenType::special || !decode_utf8(token.text, code_points) ||
         std::any_of(code_points.begin(), code_points.end(), is_control);
}

bool TokenTexts::any_bytes() const {
  return std::any_of(bytes.begin(), bytes.end(),
                     [](const scratch::Scalar& item) { return std::get<double>(item) > 0; });
}

TokenTexts token_texts(const Tokenizer& tokenizer) {
  TokenTexts texts;
  for (const Token& token : tokenizer.tokens) {
    const bool special = token.type == TokenType::special;
    const bool whole = !stands_in_bytes(token);
    texts.text.emplace_back(whole ? token.text : std::string());
    texts.bytes_at.emplace_back(whole ? 0.0 : static_cast<double>(texts.bytes.size() + 1));
    if (whole) continue;
    const std::string bytes = special ? std::string() : token.text;
    texts.bytes.emplace_back(static_cast<double>(bytes.size()));
    for (const char b : bytes) {
      texts.bytes.emplace_back(static_cast<double>(static_cast<unsigned char>(b)));
    }
  }
  return texts;
}

}  // namespace sb3lm
