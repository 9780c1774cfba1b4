#include "unpack/read_tokenizer.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "model/json_value.h"
#include "model/pattern.h"
#include "model/project_names.h"
#include "model/rule_names.h"
#include "model/unicode.h"
#include "quant/encoding.h"
#include "unpack/read_rules.h"

namespace sb3lm {
namespace {

bool may_merge(const Token& token) {
  return token.type == TokenType::normal || token.type == TokenType::unused;
}

// The length of a text that is exactly one UTF-8 code point.
bool is_one_code_point(const std::string& text) {
  if (text.empty()) return false;
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t size = lead < 0x80   ? 1
                           : lead < 0xC0 ? 0
                           : lead < 0xE0 ? 2
                           : lead < 0xF0 ? 3
                                         : 4;
  return text.size() == size;
}

class TokenizerReader {
 public:
  TokenizerReader(const std::string& file, const scratch::Program& program)
      : file_(file), program_(program) {}

  Tokenizer read(const JsonFields& info) {
    read_settings(info);
    read_texts();
    for (const auto& [id, name] : info.get<std::map<std::string, std::string>>("special")) {
      token_at(std::atoi(id.c_str())) = {.text = name, .type = TokenType::special};
    }
    read_bytes(info.get<std::vector<int>>("byte_token", {}));
    if (info.has("rules")) read_rules_of(info.fields("rules"));
    if (info.has("added")) {
      for (const auto& json : info.list("added")) read_added({json, file_ + ": an added token"});
    }
    read_alphabet(info.get<bool>("space_mark"), info.get<std::vector<int>>("no_letters", {}));
    read_merges(info);
    if (info.has("rules")) read_undone(info.fields("rules").get<std::vector<int>>("undone"));
    read_rare_settings(info);
    return std::move(out_);
  }

 private:
  [[noreturn]] void broken(const std::string& what) const {
    fail(Fault::bad_input, "{}: tokenizer: {}", file_, what);
  }

  const scratch::List* find_list(const char* name) const {
    for (const scratch::Target& target : program_.targets) {
      for (const scratch::List& list : target.lists) {
        if (list.name == name) return &list;
      }
    }
    return nullptr;
  }

  const std::vector<scratch::Scalar>* find(const char* name) const {
    const scratch::List* list = find_list(name);
    return list == nullptr ? nullptr : &list->items;
  }

  std::vector<double> numbers(const char* name) const {
    std::vector<double> values;
    const scratch::List* list = find_list(name);
    if (list == nullptr) return values;
    for (const scratch::Scalar& item : list->items) {
      const auto* number = std::get_if<double>(&item);
      if (number == nullptr) broken(fmt::format("list '{}': an item is no number", name));
      values.push_back(*number);
    }
    if (list->zeros > kMaxRuleZeros) broken(fmt::format("list '{}': too many zeros", name));
    values.resize(values.size() + list->zeros, 0.0);  // those at a list's end are counted only
    return values;
  }

  std::vector<int> ints(const char* name) const {
    std::vector<int> values;
    for (const double number : numbers(name)) {
      if (!(number >= 0 && number < 1e9)) {
        broken(fmt::format("list '{}': an item is no count", name));
      }
      values.push_back(static_cast<int>(number));
    }
    return values;
  }

  Token& token_at(int id) {
    if (id < 0 || id >= static_cast<int>(out_.tokens.size())) broken(fmt::format("id {}", id));
    return out_.tokens[static_cast<std::size_t>(id)];
  }

  void read_settings(const JsonFields& info) {
    const auto kind = info.get<std::string>("kind"), split = info.get<std::string>("split");
    out_.kind = kind == "byte bpe" ? TokenizerKind::byte_bpe : TokenizerKind::spaced_bpe;
    out_.split = split == "gpt2"           ? WordSplit::gpt2
                 : split == "before space" ? WordSplit::before_space
                 : split == "steps"        ? WordSplit::steps
                                           : WordSplit::none;
    out_.unknown = info.get<int>("unknown");
    out_.prefix_space = info.get<bool>("prefix_space");
    out_.prefix_unless_space = info.get<bool>("prefix_unless_space");
    out_.prefix_only_at_start = info.get<bool>("prefix_only_at_start");
    out_.strip_leading_space = info.get<bool>("strip_leading_space");
    out_.bos = info.get<int>("bos");
    out_.add_bos = info.get<bool>("add_bos");
    out_.stop_ids = info.get<std::vector<int>>("stop_ids");
  }

  void read_rare_settings(const JsonFields& info) {
    if (info.has("cuts")) {
      for (const auto& json : info.list("cuts")) read_cut({json, file_ + ": tokenizer: a cut"});
    }
    const auto form = info.get<std::string>("form", "");
    if (form == "nfc") out_.form = NormalForm::nfc;
    if (form == "nfkc") out_.form = NormalForm::nfkc;
    if (info.get<bool>("joined", false)) read_joined();
    out_.strip_every_token = info.get<bool>("strip_every_token", false);
    const bool marked = info.get<bool>("space_mark") && !out_.rules.present;
    out_.mark_is_space = info.get<bool>("mark_is_space", marked);
  }

  void read_cut(const JsonFields& json) {
    if (out_.cuts.size() == kMaxCuts) broken("too many cuts");
    CutStep cut = parse_pattern(file_, json.get<std::string>("pattern"));
    cut.drops_matches = json.get<bool>("drops_matches", false);
    cut.drops_others = json.get<bool>("drops_others", false);
    out_.cuts.push_back(std::move(cut));
  }

  // Before letters are looked for among the tokens.
  void read_added(const JsonFields& json) {
    const auto id = json.get<int>("id");
    Token& token = token_at(id);
    const auto text = json.get<std::string>("text", token.text);
    if (text.empty() || invalid_byte(text) != text.npos) {
      broken(fmt::format("the text of token {}", id));
    }
    token.type = TokenType::whole;
    out_.whole.emplace(text, id);
    if (json.get<bool>("normalized", false)) out_.whole_flags[id].normalized = true;
  }

  // See kernels/piece_joiner.h.
  void read_joined() {
    const std::vector<int> starts = ints(names::kJoinedStarts), places = ints(names::kJoinedPlaces),
                           parts = ints(names::kJoinedParts);
    if (starts.size() != places.size()) broken("joined pieces");
    for (std::size_t i = 0; i < starts.size(); ++i) {
      token_at(starts[i]);
      auto at = static_cast<std::size_t>(places[i]);
      while (at > 0 && at <= parts.size() && parts[at - 1] > 0) {
        const auto size = static_cast<std::size_t>(parts[at - 1]);
        if (size > parts.size() - at) broken("joined pieces");
        std::vector<int> ids = {starts[i]};
        for (std::size_t k = 1; k < size; ++k) ids.push_back(parts[at + k - 1]);
        token_at(parts[at + size - 1]);
        out_.joined.emplace(std::move(ids), parts[at + size - 1]);
        at += size + 1;
      }
    }
  }

  // What only tokenizers with rules have; the types of tokens among it.
  void read_rules_of(const JsonFields& info) {
    out_.rules = read_rules(file_, info, [this](const char* list) { return numbers(list); });
    out_.fuse_unknown = info.get<bool>("fuse_unknown");
    out_.strip_each_space = info.get<bool>("strip_each_space");
    if (info.get<bool>("unknown_prints")) token_at(out_.unknown).type = TokenType::unknown;
    for (const int id : info.get<std::vector<int>>("unused")) {
      token_at(id).type = TokenType::unused;
    }
    for (const int id : info.get<std::vector<int>>("whole")) {
      Token& token = token_at(id);
      if (token.text.empty() || invalid_byte(token.text) != token.text.npos) {
        broken(fmt::format("the text of token {}", id));
      }
      token.type = TokenType::whole;
      out_.whole.emplace(token.text, id);
    }
  }

  // Tokens and the two that each is taken apart into. Their texts are shorter, so that it ends.
  void read_undone(const std::vector<int>& ids) {
    if (ids.size() % 3 != 0) broken("unused tokens");
    for (std::size_t i = 0; i < ids.size(); i += 3) {
      const std::size_t size = token_at(ids[i]).text.size();
      for (const std::size_t part : {i + 1, i + 2}) {
        if (token_at(ids[part]).text.size() >= size) {
          broken(fmt::format("unused token {}", ids[i]));
        }
      }
      out_.undone.emplace(ids[i], std::pair(ids[i + 1], ids[i + 2]));
    }
  }

  // Tokens that are no text of their own have their bytes in a list: a count, then the bytes.
  void read_texts() {
    const auto* texts = find(names::kTokenText);
    if (texts == nullptr) broken("there is no list '_token text'");
    const std::vector<int> places = ints(names::kTokenBytesAt), bytes = ints(names::kTokenBytes);
    for (std::size_t id = 0; id < texts->size(); ++id) {
      Token token;
      if (const auto* text = std::get_if<std::string>(&(*texts)[id])) {
        token.text = *text;
      } else {
        broken(fmt::format("the text of token {} is a number", id));
      }
      if (id < places.size() && places[id] > 0) {
        const auto at = static_cast<std::size_t>(places[id]);
        if (at > bytes.size() || static_cast<std::size_t>(bytes[at - 1]) > bytes.size() - at) {
          broken(fmt::format("the bytes of token {}", id));
        }
        for (int k = 0; k < bytes[at - 1]; ++k) {
          token.text += static_cast<char>(bytes[at + static_cast<std::size_t>(k)]);
        }
      }
      out_.tokens.push_back(std::move(token));
    }
  }

  void read_bytes(const std::vector<int>& ids) {
    out_.byte_token.fill(-1);
    if (ids.empty()) return;
    if (ids.size() != out_.byte_token.size()) broken("byte tokens");
    for (std::size_t byte = 0; byte < out_.byte_token.size(); ++byte) {
      const int id = ids[byte];
      out_.byte_token[byte] = id;
      if (id < 0 || out_.kind != TokenizerKind::spaced_bpe) continue;
      Token& token = token_at(id);
      // llama2.c's files have other tokens in some bytes' places.
      if (token.text == std::string(1, static_cast<char>(byte))) token.type = TokenType::byte;
    }
  }

  void read_alphabet(bool space_mark, const std::vector<int>& no_letters) {
    if (out_.kind != TokenizerKind::spaced_bpe) return;
    const std::set<int> others(no_letters.begin(), no_letters.end());
    for (std::size_t id = 0; id < out_.tokens.size(); ++id) {
      const Token& token = out_.tokens[id];
      if (others.contains(static_cast<int>(id))) continue;
      if (may_merge(token) && is_one_code_point(token.text)) {
        out_.alphabet.emplace(token.text, static_cast<int>(id));
      }
    }
    // U+2581 in a text is the space's token too.
    const auto space = out_.alphabet.find(" ");
    if (space_mark && space != out_.alphabet.end()) {
      out_.alphabet.emplace("\xE2\x96\x81", space->second);
    }
  }

  void read_merges(const JsonFields& info) {
    if (info.has("first_merge")) {
      read_pairs(info.get<int>("first_merge"));
    } else {
      read_merge_lists(info.get<std::string>("merge_results"));
    }
  }

  // Hex digits of the left and right symbols, in the order of ranks, which is that of results.
  void read_pairs(int first_result) {
    const auto* texts = find(names::kMergePairs);
    if (texts == nullptr || texts->empty() || texts->size() % 2 != 0) broken("'_merge pairs'");
    const std::size_t digits = texts->size() / 2;
    const std::size_t count = digits_text(*texts, 0).size();
    token_at(first_result);
    for (std::size_t k = 0; k < count; ++k) {
      Merge merge{.result = first_result + static_cast<int>(k)};
      merge.rank = merge.result;
      token_at(merge.result);
      merge.left = pair_part(*texts, {0, digits}, k);
      merge.right = pair_part(*texts, {digits, 2 * digits}, k);
      join_text(merge);
      out_.merges.push_back(merge);
    }
    std::sort(out_.merges.begin(), out_.merges.end(), [](const Merge& a, const Merge& b) {
      return std::pair(a.left, a.right) < std::pair(b.left, b.right);
    });
  }

  const std::string& digits_text(const std::vector<scratch::Scalar>& texts, std::size_t i) const {
    const auto* text = std::get_if<std::string>(&texts[i]);
    if (text == nullptr) broken("an item of '_merge pairs' is no text");
    return *text;
  }

  int pair_part(const std::vector<scratch::Scalar>& texts,
                std::pair<std::size_t, std::size_t> items, std::size_t k) {
    int id = 0;
    for (std::size_t item = items.first; item < items.second; ++item) {
      const std::string& text = digits_text(texts, item);
      if (k >= text.size()) broken("the items of '_merge pairs' differ in length");
      id = 16 * id + hex_digit(text[k]);
      token_at(id);
    }
    return id;
  }

  // Texts that are made of their parts' are not stored, unless the project was saved loaded.
  void join_text(const Merge& merge) {
    Token& result = token_at(merge.result);
    if (!result.text.empty() || !may_merge(result)) return;
    result.text = token_at(merge.left).text + token_at(merge.right).text;
    joined_bytes_ += result.text.size();
    if (result.text.size() > kMaxTokenBytes || joined_bytes_ > kMaxJoinedBytes) {
      broken(fmt::format("the text of token {} is too long", merge.result));
    }
  }

  void read_merge_lists(const std::string& results) {
    const std::vector<int> first = ints(names::kMergeFirst), right = ints(names::kMergeRight),
                           rank = ints(names::kMergeRank), result = ints(names::kMergeResult);
    if (first.size() != out_.tokens.size() + 1 || right.size() != rank.size()) broken("merges");
    for (std::size_t left = 0; left + 1 < first.size(); ++left) {
      if (first[left] < 1 || first[left + 1] < first[left] ||
          static_cast<std::size_t>(first[left + 1]) > right.size() + 1) {
        broken("merges are out of order");
      }
      for (int at = first[left] - 1; at < first[left + 1] - 1; ++at) {
        const auto i = static_cast<std::size_t>(at);
        Merge merge{.left = static_cast<int>(left), .right = right[i], .rank = rank[i]};
        const std::size_t place = results == "by rank" ? static_cast<std::size_t>(rank[i]) - 1 : i;
        if (results != "rank" && place >= result.size()) broken("merge results");
        merge.result = results == "rank" ? rank[i] : result[place];
        token_at(merge.right);
        token_at(merge.result);
        out_.merges.push_back(merge);
      }
    }
  }

  static constexpr std::size_t kMaxRuleZeros = 1 << 20, kMaxCuts = 16;
  // Texts may double with each merge in a hostile file.
  static constexpr std::size_t kMaxJoinedBytes = std::size_t{1} << 26;

  const std::string& file_;
  const scratch::Program& program_;
  Tokenizer out_;
  std::size_t joined_bytes_ = 0;
};

}  // namespace

Tokenizer read_tokenizer(const std::string& file, const scratch::Program& program,
                         const nlohmann::json& info) {
  if (info.is_null()) return {};
  return TokenizerReader(file, program).read({info, file + ": model info: 'tokenizer'"});
}

}  // namespace sb3lm
