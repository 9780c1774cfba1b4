// The letters, merges and token texts that the text blocks look up. First symbols are asked of the
// native encoder, so that blocks and native code cannot drift apart.
#include "kernels/text_tables.h"

#include <algorithm>
#include <set>
#include <span>
#include <utility>

#include "base/error.h"
#include "model/unicode.h"

namespace sb3lm {

using scratch::Scalar;

namespace {

struct CodeRange {
  char32_t first, last;
};
// Printable ASCII, Latin-1 and Latin Extended-A; general punctuation; then currency, arrows,
// mathematical signs and symbols of everyday text; last the emoji of many chats: hearts, stars,
// hands, things, and all of the faces.
constexpr CodeRange kLetters[] = {
    {0x20, 0x17F},      {0x2002, 0x2003},   {0x2009, 0x2009},   {0x200B, 0x200B},
    {0x200D, 0x200D},   {0x2010, 0x2027},   {0x2030, 0x205E},   {0x20AC, 0x20AC},
    {0x2122, 0x2122},   {0x2190, 0x2193},   {0x2212, 0x2212},   {0x221E, 0x221E},
    {0x2248, 0x2248},   {0x2260, 0x2260},   {0x2264, 0x2265},   {0x2600, 0x2601},
    {0x2614, 0x2615},   {0x263A, 0x263A},   {0x2665, 0x2665},   {0x2705, 0x2705},
    {0x2713, 0x2714},   {0x2728, 0x2728},   {0x274C, 0x274C},   {0x2753, 0x2753},
    {0x2757, 0x2757},   {0x2764, 0x2764},   {0x2B50, 0x2B50},   {0xFE0F, 0xFE0F},
    {0x1F308, 0x1F308}, {0x1F31E, 0x1F31F}, {0x1F339, 0x1F339}, {0x1F34E, 0x1F34E},
    {0x1F355, 0x1F355}, {0x1F36A, 0x1F36A}, {0x1F381, 0x1F382}, {0x1F388, 0x1F389},
    {0x1F3E0, 0x1F3E0}, {0x1F408, 0x1F408}, {0x1F415, 0x1F415}, {0x1F42C, 0x1F42C},
    {0x1F431, 0x1F43C}, {0x1F440, 0x1F440}, {0x1F44B, 0x1F44F}, {0x1F480, 0x1F480},
    {0x1F493, 0x1F49C}, {0x1F4A1, 0x1F4A1}, {0x1F4AA, 0x1F4AA}, {0x1F4AF, 0x1F4AF},
    {0x1F4D6, 0x1F4D6}, {0x1F525, 0x1F525}, {0x1F600, 0x1F64F}, {0x1F680, 0x1F680},
    {0x1F697, 0x1F697}, {0x1F914, 0x1F917}, {0x1F923, 0x1F923}, {0x1F929, 0x1F929},
    {0x1F970, 0x1F970}};

bool is_control(char32_t c) {
  return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || (c >= 0x7F && c < 0xA0);
}

// Latin-1; dashes, quotation marks and the ellipsis.
constexpr CodeRange kFew[] = {
    {0x20, 0xFF}, {0x2013, 0x2014}, {0x2018, 0x201E}, {0x2022, 0x2022}, {0x2026, 0x2026}};

void add_while_room(std::set<char32_t>& letters, const std::vector<char32_t>& more,
                    std::size_t most) {
  for (char32_t c : more) {
    if (letters.size() >= most) return;
    if (!is_control(c)) letters.insert(c);
  }
}

std::vector<char32_t> alphabet_by_id(const Tokenizer& tokenizer) {
  std::vector<std::pair<int, char32_t>> by_id;
  std::vector<char32_t> one;
  for (const auto& [text, id] : tokenizer.alphabet) {
    if (decode_utf8(text, one) && one.size() == 1) by_id.emplace_back(id, one[0]);
  }
  std::sort(by_id.begin(), by_id.end());
  std::vector<char32_t> letters;
  letters.reserve(by_id.size());
  for (const auto& [id, letter] : by_id) letters.push_back(letter);
  return letters;
}

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

}  // namespace

std::string utf8(char32_t c) {
  const auto byte = [](char32_t value) { return static_cast<char>(value); };
  if (c < 0x80) return {byte(c)};
  if (c < 0x800) return {byte(0xC0 | c >> 6), byte(0x80 | (c & 63))};
  if (c < 0x10000) return {byte(0xE0 | c >> 12), byte(0x80 | (c >> 6 & 63)), byte(0x80 | (c & 63))};
  return {byte(0xF0 | c >> 18), byte(0x80 | (c >> 12 & 63)), byte(0x80 | (c >> 6 & 63)),
          byte(0x80 | (c & 63))};
}

bool decode_utf8(std::string_view text, std::vector<char32_t>& code_points) {
  code_points.clear();
  for (const TextChar& c : text_chars(text)) {
    if (c.value == kReplacement && c.size == 1) return false;  // an invalid byte
    code_points.push_back(c.value);
  }
  return true;
}

std::vector<char32_t> letter_table(const Tokenizer& tokenizer, bool few) {
  std::set<char32_t> letters = {'\t', '\n', '\r', kReplacement};
  const std::size_t most = few ? kFewLetters : kMaxLetters;
  for (const CodeRange& range : few ? std::span<const CodeRange>(kFew) : kLetters) {
    for (char32_t c = range.first; c <= range.last; ++c) {
      if (!is_control(c)) letters.insert(c);
    }
  }
  add_while_room(letters, alphabet_by_id(tokenizer), most);
  std::vector<char32_t> code_points;
  for (const Token& token : tokenizer.tokens) {
    if (token.type == TokenType::special || !decode_utf8(token.text, code_points)) continue;
    add_while_room(letters, code_points, most);
  }
  return {letters.begin(), letters.end()};
}

std::string as_blocks_see(const std::vector<char32_t>& letters, std::string_view text) {
  std::vector<char32_t> code_points;
  check(decode_utf8(text, code_points), "text for the blocks is not UTF-8");
  std::string seen;
  for (char32_t c : code_points) {
    const bool known = std::binary_search(letters.begin(), letters.end(), c);
    seen += utf8(known ? c : kReplacement);
  }
  return seen;
}

std::vector<Scalar> letter_runs(const std::vector<char32_t>& letters) {
  std::vector<Scalar> runs;
  for (std::size_t i = 0; i < letters.size(); ++i) {
    if (i > 0 && letters[i] == letters[i - 1] + 1) continue;
    runs.emplace_back(static_cast<double>(i + 1));
    runs.emplace_back(static_cast<double>(letters[i]));
  }
  runs.emplace_back(static_cast<double>(letters.size() + 1));
  runs.emplace_back(kNoCode);
  return runs;
}

std::vector<Scalar> letter_ids(const Tokenizer& tokenizer, const std::vector<char32_t>& letters) {
  std::vector<Scalar> ids;
  for (const char32_t letter : letters) {
    const auto found = tokenizer.alphabet.find(utf8(letter));
    const bool is_symbol =
        tokenizer.kind != TokenizerKind::byte_bpe && found != tokenizer.alphabet.end();
    ids.emplace_back(is_symbol ? static_cast<double>(found->second) : -1.0);
  }
  return ids;
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
  if (merges.empty()) return std::nullopt;
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
