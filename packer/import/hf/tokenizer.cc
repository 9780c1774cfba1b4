// tokenizer.json of Hugging Face tokenizers: a pipeline of normalizer, pre-tokenizer, model,
// post-processor and decoder. Of each we know the pieces that BPE language models use; any other is
// refused by name, because a tokenizer that is nearly right is wrong.
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <unordered_map>

#include "base/error.h"
#include "import/formats.h"
#include "import/hf/pipeline.h"
#include "import/hf/stages.h"
#include "import/json.h"
#include "import/pieces.h"
#include "model/unicode.h"

namespace sb3lm {
namespace {

constexpr std::string_view kSpaceMark = "\u2581";
constexpr std::size_t kMaxTokens = 1 << 20;

constexpr std::string_view kBosNames[] = {"<bos>", "<s>", "<|begin_of_text|>", "<|bos|>",
                                          "<|startoftext|>"};
constexpr std::string_view kStopNames[] = {
    "<eos>",      "</s>",    "<|eos|>",         "<|eot|>",       "<|endoftext|>",  "<|im_end|>",
    "<|eot_id|>", "<|end|>", "<|end_of_text|>", "<end_of_turn>", "<|end_of_turn|>"};

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

/// The byte of each code point that byte-level vocabularies write bytes with, -1 for others.
class ByteSymbols {
 public:
  ByteSymbols() {
    byte_of_.fill(-1);
    std::size_t next = 256;
    for (int byte = 0; byte < 256; ++byte) {
      const bool printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte != 173);
      byte_of_[printable ? static_cast<std::size_t>(byte) : next++] = byte;
    }
  }

  /// The bytes that a token stands for; nothing if it has a symbol that stands for none.
  std::optional<std::string> bytes_of(std::string_view token) const {
    std::string bytes;
    for (const TextChar& c : text_chars(token)) {
      if (c.value >= byte_of_.size() || byte_of_[c.value] < 0) return std::nullopt;
      bytes += static_cast<char>(byte_of_[c.value]);
    }
    return bytes;
  }

 private:
  std::array<int, 324> byte_of_{};
};

class TokenizerReader : StageReader {
 public:
  explicit TokenizerReader(const NamedBytes& file)
      : StageReader(file.file), json_(parse_json(file.file, as_text(file.bytes))) {
    result_.byte_token.fill(-1);
  }

  Tokenizer read() {
    if (!json_.is_object()) fail("it is not a JSON object");
    stages_ = read_text_stages(file_, json_, result_);
    settle_kind();
    read_vocabulary();
    read_added_tokens();
    describe_tokens();
    read_merges();
    if (flag(field(json_, "model"), "ignore_merges", false)) {
      result_.joined = joined_pieces(file_, result_);
    }
    read_decoder(file_, json_, stages_, result_);
    find_ends();
    read_post_processor(file_, json_, result_);
    return std::move(result_);
  }

 private:
  void settle_kind() {
    result_.kind = stages_.byte_level ? TokenizerKind::byte_bpe : TokenizerKind::spaced_bpe;
    const Json& model = field(json_, "model");
    if (!model.is_object()) fail("'model' is missing");
    const std::string type = text(model, "type");
    if (!type.empty() && type != "BPE") refuse("model type '{}'", type);
    const Json& dropout = field(model, "dropout");
    if (!dropout.is_null() && dropout != 0) refuse("BPE dropout");
    for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
      if (!text(model, key).empty()) refuse("BPE with a {}", key);
    }
  }

  void place(std::uint64_t id, const std::string& name) {
    if (id >= kMaxTokens)
      fail("token '{}' has id {}, at most {} are possible", name, id, kMaxTokens);
    if (id >= names_.size()) names_.resize(static_cast<std::size_t>(id) + 1);
    std::optional<std::string>& slot = names_[id];
    if (slot && *slot != name) fail("tokens '{}' and '{}' share id {}", *slot, name, id);
    slot = name;
  }

  void read_vocabulary() {
    const Json& vocabulary = field(field(json_, "model"), "vocab");
    if (!vocabulary.is_object() || vocabulary.empty()) fail("'model' has no 'vocab'");
    for (const auto& [name, id] : vocabulary.items()) {
      const auto number = json_as<std::uint64_t>(id);
      if (!number) fail("the id of token '{}' is not a count", name);
      place(*number, name);
      ids_.emplace(name, static_cast<int>(*number));
    }
  }

  void read_added_tokens() {
    const Json& added = field(json_, "added_tokens");
    if (added.is_null()) return;
    if (!added.is_array()) fail("'added_tokens' is not a list");
    for (const Json& token : added) {
      const auto id = json_as<std::uint64_t>(field(token, "id"));
      if (!id) fail("'added_tokens' holds something other than tokens with an id");
      const std::string name = text(token, "content");
      if (name.empty()) fail("'added_tokens' holds a token without 'content'");
      place(*id, name);
      const int number = static_cast<int>(*id);
      if (flag(token, "special", false)) {
        types_[number] = TokenType::special;
      } else {
        types_[number] = TokenType::whole;
        add_whole(number, name, token);
      }
    }
  }

  /// Hugging Face's library looks for those in typed text, or in what the normalizer makes of it.
  void add_whole(int id, const std::string& name, const Json& token) {
    WholeFlags flags{.normalized = flag(token, "normalized", true),
                     .strip_left = flag(token, "lstrip", false),
                     .strip_right = flag(token, "rstrip", false),
                     .single_word = flag(token, "single_word", false)};
    std::string found_as = name;
    if (flags.normalized) {
      if (result_.prefix_space && !result_.prefix_unless_space) {
        refuse("added token '{}', which a normalizer with 'Prepend' changes,", name);
      }
      if (normalized(result_.form, name) != name) {
        refuse("added token '{}', which the normalizer changes,", name);
      }
      if (stages_.marks) found_as = replace_all(found_as, kSpaceMark, " ");
    }
    if (!result_.whole.emplace(found_as, id).second) {
      refuse("added token '{}', which stands there twice,", name);
    }
    if (flags != WholeFlags{}) result_.whole_flags[id] = flags;
  }

  /// From names to what tokens print, how they begin and which bytes they are.
  void describe_tokens() {
    byte_fallback_ = flag(field(json_, "model"), "byte_fallback", false);
    result_.tokens.reserve(names_.size());
    for (std::size_t id = 0; id < names_.size(); ++id) {
      if (!names_[id]) {
        result_.tokens.emplace_back();  // prints nothing, and no text has it
        continue;
      }
      const auto type = types_.find(static_cast<int>(id));
      Token token = type == types_.end() ? plain_token(id) : added_token(id, type->second);
      if (type == types_.end()) index_token(token, static_cast<int>(id));
      result_.tokens.push_back(std::move(token));
    }
    if (byte_fallback_) check_bytes();
    settle_unknown();
  }

  /// Gemma has no byte for the tab, which is a letter of its own.
  void check_bytes() const {
    int bytes = 0;
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::string letter(1, static_cast<char>(byte));
      if (result_.byte_token[byte] >= 0 || (byte < 128 && result_.alphabet.contains(letter)))
        ++bytes;
    }
    if (bytes != 256) refuse("byte_fallback with {} of 256 bytes", bytes);
  }

  Token added_token(std::size_t id, TokenType type) const {
    const std::string& name = *names_[id];
    if (type == TokenType::special) return {name, type};
    if (stages_.byte_level) return {symbols_.bytes_of(name).value_or(name), type};
    return {stages_.marks ? replace_all(name, kSpaceMark, " ") : name, type};
  }

  Token plain_token(std::size_t id) const {
    const std::string& name = *names_[id];
    if (stages_.byte_level) {
      const std::optional<std::string> bytes = symbols_.bytes_of(name);
      if (!bytes) fail("token '{}' is not written in byte-level symbols", name);
      return {*bytes, TokenType::normal};
    }
    const int byte = byte_fallback_ ? fallback_byte(name) : -1;
    if (byte >= 0) return {std::string(1, static_cast<char>(byte)), TokenType::byte};
    return {stages_.marks ? replace_all(name, kSpaceMark, " ") : name, TokenType::normal};
  }

  void index_token(const Token& token, int id) {
    if (stages_.byte_level) {
      if (token.text.size() == 1)
        result_.byte_token[static_cast<unsigned char>(token.text[0])] = id;
      return;
    }
    const std::string& name = *names_[static_cast<std::size_t>(id)];
    if (token.type == TokenType::byte) {
      result_.byte_token[static_cast<unsigned char>(token.text[0])] = id;
    } else if (text_chars(name).size() == 1 && !(stages_.marks && name == " ")) {
      result_.alphabet[name] = id;
      result_.alphabet[token.text] = id;  // the space, where the name is its mark
    }
  }

  void settle_unknown() {
    const Json& model = field(json_, "model");
    const std::string unknown = text(model, "unk_token");
    if (unknown.empty()) return;
    const auto found = ids_.find(unknown);
    if (found == ids_.end()) fail("unk_token '{}' is not in the vocabulary", unknown);
    if (byte_fallback_) return;  // every character has its bytes
    if (flag(model, "fuse_unk", false)) refuse("fuse_unk without byte_fallback");
    result_.unknown = found->second;
  }

  int merge_part(const std::string& part, std::size_t rank) const {
    const auto found = ids_.find(part);
    if (found == ids_.end()) fail("merge {}: '{}' is not in the vocabulary", rank, part);
    return found->second;
  }

  std::pair<std::string, std::string> merge_pair(const Json& merge, std::size_t rank) const {
    if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
      return {merge[0].get<std::string>(), merge[1].get<std::string>()};
    }
    if (!merge.is_string()) fail("merge {} is neither 'a b' nor ['a', 'b']", rank);
    const auto pair = merge.get<std::string>();
    const std::size_t space = pair.find(' ');
    if (space == pair.npos || pair.find(' ', space + 1) != pair.npos) {
      fail("merge {} '{}' is not two tokens with one space between them", rank, pair);
    }
    return {pair.substr(0, space), pair.substr(space + 1)};
  }

  void read_merges() {
    const Json& merges = field(field(json_, "model"), "merges");
    if (merges.is_null()) return;
    if (!merges.is_array()) fail("'merges' is not a list");
    std::vector<Merge>& list = result_.merges;
    list.reserve(merges.size());
    for (std::size_t rank = 0; rank < merges.size(); ++rank) {
      const auto [left, right] = merge_pair(merges[rank], rank);
      list.push_back({merge_part(left, rank), merge_part(right, rank),
                      merge_part(left + right, rank), static_cast<int>(rank)});
    }
    const auto key = [](const Merge& merge) { return std::pair(merge.left, merge.right); };
    std::stable_sort(list.begin(), list.end(),
                     [&](const Merge& a, const Merge& b) { return key(a) < key(b); });
    std::size_t kept = 0;
    for (std::size_t i = 0; i < list.size(); ++i) {
      // The last one counts, as in the original.
      if (i + 1 == list.size() || key(list[i]) != key(list[i + 1])) list[kept++] = list[i];
    }
    list.resize(kept);
  }

  /// Start and ends of text by the names that models give them.
  void find_ends() {
    for (const std::string_view name : kBosNames) {
      if (result_.bos < 0) result_.bos = special_id(result_, name);
    }
    for (const std::string_view name : kStopNames) {
      const int id = special_id(result_, name);
      if (id >= 0) result_.stop_ids.push_back(id);
    }
    std::sort(result_.stop_ids.begin(), result_.stop_ids.end());
  }

  Json json_;
  Tokenizer result_;
  ByteSymbols symbols_;
  TextStages stages_;
  bool byte_fallback_ = false;
  std::vector<std::optional<std::string>> names_;  // by id
  std::map<int, TokenType> types_;                 // of added tokens: special or whole
  std::unordered_map<std::string, int> ids_;       // of model.vocab
};

}  // namespace

Tokenizer read_tokenizer_json(const NamedBytes& file) {
  return TokenizerReader(file).read();
}

}  // namespace sb3lm
