#include "support/tokenizers.h"

#include <algorithm>
#include <set>

#include "model/pattern.h"
#include "model/unicode.h"
#include "model/word_split.h"

namespace sb3lm::test {

const char* const kCorpus =
    "Once upon a time, there was a little girl who didn't like to walk. She'd say: \"I'll stay, "
    "you're going, we've gone; I'm here.\" The cat AND the Cat and THE DOG sat on 12 mats, 345 "
    "mats and 1,234,567 mats!  Two  spaces and   three.\n\nCaf\u00e9 na\u00efve \u00fcber "
    "\u2014 \u201cquoted\u201d text\u2026 \U0001F600 smile \U0001F600\n\tthe end, the end, the "
    "end of the little story about the little girl and the little cat.";

namespace {

// A tokenizer made by the textbook: the most frequent pair of the corpus becomes a token.
class Trainer {
 public:
  Trainer(Tokenizer& tokenizer, WordSplit split) : tokenizer_(tokenizer) {
    Tokenizer unmerged = tokenizer;
    unmerged.prefix_space = false;
    unmerged.split = WordSplit::none;
    for (std::string_view piece : split_words(split, kCorpus)) {
      pieces_.push_back(encode(unmerged, piece, false));
    }
  }

  void add_merges(int count) {
    for (int i = 0; i < count; ++i) {
      const auto [left, right] = most_frequent_pair();
      const int result = static_cast<int>(tokenizer_.tokens.size());
      tokenizer_.tokens.push_back({text(left) + text(right)});
      tokenizer_.merges.push_back({left, right, result, i});
      for (std::vector<int>& piece : pieces_) join_pair(piece, left, right, result);
    }
  }

 private:
  const std::string& text(int id) const {
    return tokenizer_.tokens[static_cast<std::size_t>(id)].text;
  }
  std::pair<int, int> most_frequent_pair() const {
    std::map<std::pair<int, int>, int> counts;
    for (const auto& piece : pieces_) {
      for (std::size_t k = 1; k < piece.size(); ++k) ++counts[{piece[k - 1], piece[k]}];
    }
    return std::max_element(counts.begin(), counts.end(),
                            [](const auto& a, const auto& b) { return a.second < b.second; })
        ->first;
  }
  static void join_pair(std::vector<int>& piece, int left, int right, int result) {
    for (std::size_t k = 1; k < piece.size(); ++k) {
      if (piece[k - 1] != left || piece[k] != right) continue;
      piece[k - 1] = result;
      piece.erase(piece.begin() + static_cast<std::ptrdiff_t>(k));
    }
  }

  Tokenizer& tokenizer_;
  std::vector<std::vector<int>> pieces_;
};

void add_bytes(Tokenizer& tokenizer, TokenType type) {
  for (std::size_t b = 0; b < 256; ++b) {
    tokenizer.byte_token[b] = static_cast<int>(tokenizer.tokens.size());
    tokenizer.tokens.push_back({std::string(1, static_cast<char>(b)), type});
  }
}

Tokenizer letters_and_bytes() {
  Tokenizer tokenizer;
  tokenizer.kind = TokenizerKind::spaced_bpe;
  for (const char* name : {"<unk>", "<s>", "</s>"}) {
    tokenizer.tokens.push_back({name, TokenType::special});
  }
  tokenizer.unknown = 0;
  tokenizer.bos = 1;
  add_bytes(tokenizer, TokenType::byte);
  std::vector<char32_t> letters;
  decode_utf8(kCorpus, letters);
  for (char32_t c : std::set<char32_t>(letters.begin(), letters.end())) {
    if (c == '\n' || c == '\t') continue;  // these have only their bytes
    tokenizer.alphabet[utf8(c)] = static_cast<int>(tokenizer.tokens.size());
    tokenizer.tokens.push_back({utf8(c)});
  }
  return tokenizer;
}

void sort_merges(Tokenizer& tokenizer) {
  std::sort(tokenizer.merges.begin(), tokenizer.merges.end(), [](const Merge& a, const Merge& b) {
    return std::pair(a.left, a.right) < std::pair(b.left, b.right);
  });
}

// Every pair whose text is a token, as llama2.c merges; `rank_of` the result's id.
template <class Rank>
void merge_every_pair(Tokenizer& tokenizer, int first_letter, Rank rank_of) {
  tokenizer.merges.clear();
  std::map<std::string, int> id_of;
  const int count = static_cast<int>(tokenizer.tokens.size());
  const auto text = [&](int id) { return tokenizer.tokens[static_cast<std::size_t>(id)].text; };
  for (int id = first_letter; id < count; ++id) id_of.emplace(text(id), id);
  for (int left = first_letter; left < count; ++left) {
    for (int right = first_letter; right < count; ++right) {
      const auto found = id_of.find(text(left) + text(right));
      if (found == id_of.end()) continue;
      tokenizer.merges.push_back({left, right, found->second, rank_of(found->second, left)});
    }
  }
}

constexpr int kFirstLetter = 259;

}  // namespace

Tokenizer uncut_tokenizer() {
  Tokenizer tokenizer = letters_and_bytes();
  tokenizer.prefix_space = true;
  tokenizer.strip_leading_space = true;
  Trainer(tokenizer, WordSplit::none).add_merges(120);
  merge_every_pair(tokenizer, kFirstLetter, [](int result, int) { return 1000 + result / 3; });
  sort_merges(tokenizer);
  return tokenizer;
}

Tokenizer cuttable_tokenizer() {
  Tokenizer tokenizer = letters_and_bytes();
  tokenizer.prefix_space = true;
  tokenizer.prefix_only_at_start = true;
  Trainer(tokenizer, WordSplit::before_space).add_merges(120);
  merge_every_pair(tokenizer, kFirstLetter, [](int result, int) { return result; });
  sort_merges(tokenizer);
  return tokenizer;
}

Tokenizer word_tokenizer() {
  Tokenizer tokenizer = letters_and_bytes();
  tokenizer.split = WordSplit::before_space;
  tokenizer.prefix_space = true;
  tokenizer.prefix_unless_space = true;
  for (int byte : {0x0A, 0xE2}) tokenizer.byte_token[static_cast<std::size_t>(byte)] = -1;
  tokenizer.unknown = -1;
  Trainer(tokenizer, WordSplit::before_space).add_merges(120);
  sort_merges(tokenizer);
  return tokenizer;
}

Tokenizer paired_byte_tokenizer() {
  Tokenizer tokenizer;
  tokenizer.kind = TokenizerKind::byte_bpe;
  tokenizer.split = WordSplit::gpt2;
  add_bytes(tokenizer, TokenType::normal);
  Trainer(tokenizer, WordSplit::gpt2).add_merges(150);
  sort_merges(tokenizer);
  tokenizer.tokens.push_back({"<|end|>", TokenType::special});
  return tokenizer;
}

Tokenizer byte_tokenizer() {
  Tokenizer tokenizer = paired_byte_tokenizer();
  merge_every_pair(tokenizer, 0, [](int result, int left) { return result * 1000 + left; });
  sort_merges(tokenizer);
  return tokenizer;
}

Tokenizer pattern_tokenizer(const std::vector<std::string>& patterns) {
  Tokenizer tokenizer = paired_byte_tokenizer();
  tokenizer.split = WordSplit::steps;
  for (const std::string& pattern : patterns) {
    tokenizer.cuts.push_back(parse_pattern("a test", pattern));
  }
  return tokenizer;
}

}  // namespace sb3lm::test
