// llama2.c's tokenizer.bin: u32 longest token; then per token f32 score, i32 length, bytes.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <unordered_map>

#include "base/reader.h"
#include "import/formats.h"

namespace sb3lm {
namespace {

constexpr int kFirstByteToken = 3;
constexpr int kMaxLength = 512;
constexpr float kLowestScore = -1e10F;  // llama2.c's search for the best pair starts here

struct Entry {
  float score = 0;
  std::string text;
};

std::vector<Entry> read_entries(const NamedBytes& file, int vocabulary) {
  Reader in(file.file, file.bytes);
  in.reading("length of the longest token");
  const std::uint32_t longest = in.u32();
  if (longest < 1 || longest > kMaxLength) in.fail("{} is outside 1..{}", longest, kMaxLength);
  std::vector<Entry> entries;
  for (int id = 0; id < vocabulary; ++id) {
    in.reading(fmt::format("token {} of {}", id, vocabulary));
    Entry entry;
    entry.score = in.f32();
    if (!std::isfinite(entry.score)) in.fail("its score is not finite");
    const std::int32_t size = in.i32();
    if (size < 1 || size > static_cast<std::int32_t>(longest)) {
      in.fail("its length {} is outside 1..{}", size, longest);
    }
    entry.text = as_text(in.take(static_cast<std::uint64_t>(size)));
    entries.push_back(std::move(entry));
  }
  in.reading(fmt::format("end after {} tokens", vocabulary));
  if (in.remaining() != 0) {
    in.fail("{} more bytes: the tokenizer does not fit the vocabulary", in.remaining());
  }
  return entries;
}

/// The byte of "<0x0A>", -1 for any other text.
int byte_of(const std::string& text) {
  if (text.size() != 6 || !text.starts_with("<0x") || text[5] != '>') return -1;
  unsigned byte = 0;
  char end = 0;
  if (std::sscanf(text.c_str(), "<0x%02X%c", &byte, &end) != 2 || end != '>') return -1;
  return static_cast<int>(byte);
}

Token token_of(const std::string& text) {
  if (text == "<unk>") return {text, TokenType::special};
  if (text == "\n<s>\n") return {"<s>", TokenType::special};
  if (text == "\n</s>\n") return {"</s>", TokenType::special};
  const int byte = byte_of(text);
  if (byte >= 0) return {std::string(1, static_cast<char>(byte)), TokenType::byte};
  return {text, TokenType::normal};
}

bool is_one_character(const std::string& text) {
  if (text.size() > 4 || (text[0] & 0xC0) == 0x80) return false;
  return std::all_of(text.begin() + 1, text.end(), [](char c) { return (c & 0xC0) == 0x80; });
}

/// Score to rank: the highest score is 0, equal scores share a rank.
std::map<float, int, std::greater<>> dense_ranks(const std::vector<Entry>& entries) {
  std::map<float, int, std::greater<>> ranks;
  for (const Entry& entry : entries) ranks[entry.score] = 0;
  int next = 0;
  for (auto& [score, rank] : ranks) rank = next++;
  return ranks;
}

/// Every way to put a token together from two others: llama2.c merges by text, not by a list.
std::vector<Merge> all_merges(const std::vector<Entry>& entries, const std::vector<Token>& tokens) {
  std::unordered_map<std::string_view, int> ids;
  for (std::size_t id = 0; id < entries.size(); ++id) {
    if (tokens[id].type != TokenType::special) {
      ids.emplace(entries[id].text, static_cast<int>(id));
    }
  }
  const auto ranks = dense_ranks(entries);
  std::vector<Merge> merges;
  for (const auto& [text, id] : ids) {
    const float score = entries[static_cast<std::size_t>(id)].score;
    if (score <= kLowestScore) continue;
    for (std::size_t cut = 1; cut < text.size(); ++cut) {
      const auto left = ids.find(text.substr(0, cut));
      const auto right = ids.find(text.substr(cut));
      if (left == ids.end() || right == ids.end()) continue;
      merges.push_back({left->second, right->second, id, ranks.at(score)});
    }
  }
  std::sort(merges.begin(), merges.end(), [](const Merge& a, const Merge& b) {
    return std::pair(a.left, a.right) < std::pair(b.left, b.right);
  });
  return merges;
}

}  // namespace

Tokenizer read_tokenizer_bin(const NamedBytes& file, int vocabulary) {
  const std::vector<Entry> entries = read_entries(file, vocabulary);
  Tokenizer tokenizer;
  tokenizer.kind = TokenizerKind::spaced_bpe;
  tokenizer.byte_token.fill(-1);
  for (std::size_t id = 0; id < entries.size(); ++id) {
    const Token token = token_of(entries[id].text);
    if (token.type == TokenType::normal && is_one_character(token.text)) {
      tokenizer.alphabet.emplace(token.text, static_cast<int>(id));
    }
    tokenizer.tokens.push_back(token);
  }
  for (int byte = 0; byte < 256; ++byte) {
    // llama2.c takes byte + 3, whatever stands there.
    const int id = byte + kFirstByteToken;
    if (id < vocabulary) tokenizer.byte_token[static_cast<std::size_t>(byte)] = id;
  }
  tokenizer.merges = all_merges(entries, tokenizer.tokens);
  tokenizer.prefix_space = true;
  tokenizer.strip_leading_space = true;
  tokenizer.bos = vocabulary > 1 ? 1 : -1;
  tokenizer.add_bos = vocabulary > 1;
  if (tokenizer.bos >= 0) tokenizer.stop_ids = {tokenizer.bos};
  return tokenizer;
}

}  // namespace sb3lm
