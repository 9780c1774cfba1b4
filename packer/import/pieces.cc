#include "import/pieces.h"

#include <algorithm>
#include <map>
#include <unordered_map>

namespace sb3lm {
namespace {

std::map<float, int, std::greater<>> dense_ranks(const std::vector<ScoredPiece>& pieces) {
  std::map<float, int, std::greater<>> ranks;
  for (const ScoredPiece& piece : pieces) ranks[piece.score] = 0;
  int next = 0;
  for (auto& [score, rank] : ranks) rank = next++;
  return ranks;
}

}  // namespace

std::vector<Merge> merges_by_score(const std::vector<ScoredPiece>& pieces) {
  std::unordered_map<std::string_view, const ScoredPiece*> by_text;
  for (const ScoredPiece& piece : pieces) by_text.emplace(piece.text, &piece);
  const auto ranks = dense_ranks(pieces);
  std::vector<Merge> merges;
  for (const auto& [text, piece] : by_text) {
    for (std::size_t cut = 1; cut < text.size(); ++cut) {
      const auto left = by_text.find(text.substr(0, cut));
      const auto right = by_text.find(text.substr(cut));
      if (left == by_text.end() || right == by_text.end()) continue;
      merges.push_back({left->second->id, right->second->id, piece->id, ranks.at(piece->score)});
    }
  }
  std::sort(merges.begin(), merges.end(), [](const Merge& a, const Merge& b) {
    return std::pair(a.left, a.right) < std::pair(b.left, b.right);
  });
  return merges;
}

int fallback_byte(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  if (text.size() != 6 || !text.starts_with("<0x") || text[5] != '>') return -1;
  const std::size_t high = kDigits.find(text[3]);
  const std::size_t low = kDigits.find(text[4]);
  if (high == kDigits.npos || low == kDigits.npos) return -1;
  return static_cast<int>(high * 16 + low);
}

bool is_one_character(std::string_view text) {
  if (text.empty() || text.size() > 4 || (text[0] & 0xC0) == 0x80) return false;
  return std::all_of(text.begin() + 1, text.end(), [](char c) { return (c & 0xC0) == 0x80; });
}

}  // namespace sb3lm
