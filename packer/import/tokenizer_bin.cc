// llama2.c's tokenizer.bin: u32 longest token; then per token f32 score, i32 length, bytes.
#include <array>
#include <cmath>

#include "base/reader.h"
#include "import/formats.h"
#include "import/pieces.h"

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
  // As llama2.c, which leaves what it does not need; a shorter file has fewer tokens.
  for (int id = 0; id < vocabulary && in.remaining() > 0; ++id) {
    in.reading(fmt::format("token {} of {}", id, vocabulary));
    Entry entry;
    entry.score = in.f32();
    if (!std::isfinite(entry.score)) in.fail("its score is not finite");
    const std::int32_t size = in.i32();
    if (size < 0 || size > static_cast<std::int32_t>(longest)) {
      in.fail("its length {} is outside 0..{}", size, longest);
    }
    entry.text = as_text(in.take(static_cast<std::uint64_t>(size)));
    entries.push_back(std::move(entry));
  }
  if (entries.empty()) in.fail("it holds no tokens");
  return entries;
}

Token token_of(const std::string& text) {
  if (text == "<unk>") return {text, TokenType::special};
  if (text == "\n<s>\n") return {"<s>", TokenType::special};
  if (text == "\n</s>\n") return {"</s>", TokenType::special};
  const int byte = fallback_byte(text);
  if (byte >= 0) return {std::string(1, static_cast<char>(byte)), TokenType::byte};
  return {text, TokenType::normal};
}

/// Every way to put a token together from two others.
std::vector<Merge> all_merges(const std::vector<Entry>& entries, const std::vector<Token>& tokens) {
  std::vector<ScoredPiece> pieces;
  for (std::size_t id = 0; id < entries.size(); ++id) {
    if (tokens[id].type == TokenType::special) continue;
    pieces.push_back({entries[id].text, entries[id].score, static_cast<int>(id)});
  }
  std::vector<Merge> merges = merges_by_score(pieces);
  std::erase_if(merges, [&](const Merge& merge) {
    return entries[static_cast<std::size_t>(merge.result)].score <= kLowestScore;
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
  const auto count = static_cast<int>(entries.size());
  for (int byte = 0; byte < 256; ++byte) {
    // llama2.c takes byte + 3, whatever stands there.
    const int id = byte + kFirstByteToken;
    if (id < count) tokenizer.byte_token[static_cast<std::size_t>(byte)] = id;
  }
  tokenizer.merges = all_merges(entries, tokenizer.tokens);
  tokenizer.prefix_space = true;
  tokenizer.strip_leading_space = true;
  tokenizer.bos = count > 1 ? 1 : -1;
  tokenizer.add_bos = count > 1;
  if (tokenizer.bos >= 0) tokenizer.stop_ids = {tokenizer.bos};
  return tokenizer;
}

}  // namespace sb3lm
