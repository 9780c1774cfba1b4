// tokenizer.json of Hugging Face tokenizers: a pipeline of normalizer, pre-tokenizer, model,
// post-processor and decoder. Of each we know the pieces that BPE language models use; any other is
// refused by name, because a tokenizer that is nearly right is wrong.
#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>

#include "base/error.h"
#include "import/file_errors.h"
#include "import/formats.h"
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

class TokenizerReader : FileErrors {
 public:
  explicit TokenizerReader(const NamedBytes& file)
      : FileErrors(file.file), json_(parse_json(file.file, as_text(file.bytes))) {
    result_.byte_token.fill(-1);
  }

  Tokenizer read() {
    if (!json_.is_object()) fail("it is not a JSON object");
    read_stage("normalizer", "normalizers", &TokenizerReader::normalizer);
    read_stage("pre_tokenizer", "pretokenizers", &TokenizerReader::pre_tokenizer);
    settle_kind();
    read_vocabulary();
    read_added_tokens();
    describe_tokens();
    read_merges();
    read_stage("decoder", "decoders", &TokenizerReader::decoder);
    find_ends();
    read_stage("post_processor", "processors", &TokenizerReader::post_processor);
    return std::move(result_);
  }

 private:
  static const Json& field(const Json& json, const char* key) {
    static const Json null;
    const auto found = json.find(key);
    return found == json.end() ? null : *found;
  }

  bool flag(const Json& json, const char* key, bool fallback) const {
    return JsonFields(json, file_).get(key, fallback);
  }

  std::string text(const Json& json, const char* key) const {
    return JsonFields(json, file_).get(key, std::string());
  }

  /// Calls `piece` for each step of a stage, sequences flattened.
  using Piece = void (TokenizerReader::*)(const std::string& type, const Json& step);
  void read_stage(const char* stage, const char* list, Piece piece) {
    read_steps(stage, list, piece, field(json_, stage));
  }
  void read_steps(const char* stage, const char* list, Piece piece, const Json& step) {
    if (step.is_null()) return;
    if (!step.is_object()) fail("{} is not an object", stage);
    const std::string type = text(step, "type");
    if (type != "Sequence") {
      (this->*piece)(type, step);
      return;
    }
    const Json& steps = field(step, list);
    if (!steps.is_array()) fail("the {} Sequence has no list '{}'", stage, list);
    for (const Json& inner : steps) read_steps(stage, list, piece, inner);
  }

  bool is_mark_for_space(const Json& step) const {
    return text(field(step, "pattern"), "String") == " " && text(step, "content") == kSpaceMark;
  }

  void normalizer(const std::string& type, const Json& step) {
    if (type == "Prepend" && text(step, "prepend") == kSpaceMark) {
      result_.prefix_space = true;
    } else if (type == "Replace" && field(step, "pattern").is_object() && is_mark_for_space(step)) {
      marks_ = true;
    } else {
      refuse("normalizer '{}'", type);
    }
  }

  void pre_tokenizer(const std::string& type, const Json& step) {
    if (type == "Metaspace") {
      metaspace(step);
    } else if (type == "ByteLevel") {
      byte_level_ = true;
      const bool prefix = flag(step, "add_prefix_space", true);
      result_.prefix_space = result_.prefix_unless_space = prefix;
      result_.split = flag(step, "use_regex", true) ? WordSplit::gpt2 : WordSplit::none;
    } else {
      refuse("pre_tokenizer '{}'", type);
    }
  }

  void metaspace(const Json& step) {
    if (text(step, "replacement") != kSpaceMark) {
      refuse("pre_tokenizer 'Metaspace' with replacement '{}'", text(step, "replacement"));
    }
    marks_ = true;
    std::string scheme = text(step, "prepend_scheme");
    if (scheme.empty()) scheme = flag(step, "add_prefix_space", true) ? "always" : "never";
    if (scheme != "always" && scheme != "first" && scheme != "never") {
      refuse("pre_tokenizer 'Metaspace' with prepend_scheme '{}'", scheme);
    }
    if (scheme != "never") {
      result_.prefix_unless_space = !result_.prefix_space;  // a Prepend before it comes first
      result_.prefix_space = true;
      result_.prefix_only_at_start = scheme == "first";
    }
    result_.split = flag(step, "split", true) ? WordSplit::before_space : WordSplit::none;
  }

  void settle_kind() {
    if (byte_level_ && marks_) refuse("a ByteLevel tokenizer that also marks spaces");
    result_.kind = byte_level_ ? TokenizerKind::byte_bpe : TokenizerKind::spaced_bpe;
    const Json& model = field(json_, "model");
    if (!model.is_object()) fail("'model' is missing");
    const std::string type = text(model, "type");
    if (!type.empty() && type != "BPE") refuse("model type '{}'", type);
    const Json& dropout = field(model, "dropout");
    if (!dropout.is_null() && dropout != 0) refuse("BPE dropout");
    for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
      if (!text(model, key).empty()) refuse("BPE with a {}", key);
    }
    if (flag(model, "ignore_merges", false)) refuse("BPE with ignore_merges");
  }

  void place(std::uint64_t id, const std::string& name) {
    if (id >= kMaxTokens)
      fail("token '{}' has id {}, at most {} are possible", name, id, kMaxTokens);
    if (names_.size() <= id) names_.resize(id + 1);
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
      if (!flag(token, "special", false)) refuse("added token '{}', which is not special,", name);
      place(*id, name);
      special_.push_back(static_cast<std::size_t>(*id));
    }
  }

  /// From names to what tokens print, how they begin and which bytes they are.
  void describe_tokens() {
    byte_fallback_ = flag(field(json_, "model"), "byte_fallback", false);
    std::vector<bool> special(names_.size(), false);
    for (const std::size_t id : special_) special[id] = true;
    for (std::size_t id = 0; id < names_.size(); ++id) {
      if (!names_[id]) fail("no token has id {} of {}", id, names_.size());
      const Token token = special[id] ? Token{*names_[id], TokenType::special} : plain_token(id);
      index_token(token, static_cast<int>(id));
      result_.tokens.push_back(token);
    }
    const auto bytes = std::count_if(result_.byte_token.begin(), result_.byte_token.end(),
                                     [](int id) { return id >= 0; });
    if (byte_fallback_ && bytes != 256) refuse("byte_fallback with {} of 256 bytes", bytes);
    settle_unknown();
  }

  Token plain_token(std::size_t id) const {
    const std::string& name = *names_[id];
    if (byte_level_) {
      const std::optional<std::string> bytes = symbols_.bytes_of(name);
      if (!bytes) fail("token '{}' is not written in byte-level symbols", name);
      return {*bytes, TokenType::normal};
    }
    const int byte = byte_fallback_ ? fallback_byte(name) : -1;
    if (byte >= 0) return {std::string(1, static_cast<char>(byte)), TokenType::byte};
    return {marks_ ? replace_all(name, kSpaceMark, " ") : name, TokenType::normal};
  }

  void index_token(const Token& token, int id) {
    if (token.type == TokenType::special) return;
    if (byte_level_) {
      if (token.text.size() == 1)
        result_.byte_token[static_cast<unsigned char>(token.text[0])] = id;
      return;
    }
    const std::string& name = *names_[static_cast<std::size_t>(id)];
    if (token.type == TokenType::byte) {
      result_.byte_token[static_cast<unsigned char>(token.text[0])] = id;
    } else if (text_chars(name).size() == 1 && !(marks_ && name == " ")) {
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
    std::map<std::pair<int, int>, Merge> by_pair;
    for (std::size_t rank = 0; rank < merges.size(); ++rank) {
      const auto [left, right] = merge_pair(merges[rank], rank);
      const Merge merge{merge_part(left, rank), merge_part(right, rank),
                        merge_part(left + right, rank), static_cast<int>(rank)};
      by_pair[{merge.left, merge.right}] = merge;  // the last one counts, as in the original
    }
    for (const auto& [pair, merge] : by_pair) result_.merges.push_back(merge);
  }

  void decoder(const std::string& type, const Json& step) {
    if (type == "Metaspace") {
      std::string scheme = text(step, "prepend_scheme");
      if (scheme.empty()) scheme = flag(step, "add_prefix_space", true) ? "always" : "never";
      if (scheme != "never") result_.strip_leading_space = true;
    } else if (type == "Strip") {
      const bool leading = text(step, "content") == " " && field(step, "stop") == 0 &&
                           (field(step, "start") == 0 || field(step, "start") == 1);
      if (!leading) refuse("decoder 'Strip' of anything but one leading space");
      if (field(step, "start") == 1) result_.strip_leading_space = true;
    } else if (type == "Replace") {
      const Json& pattern = field(step, "pattern");
      if (!pattern.is_object() || text(pattern, "String") != kSpaceMark ||
          text(step, "content") != " ") {
        refuse("decoder 'Replace' of anything but {} by a space", kSpaceMark);
      }
    } else if (type != "ByteLevel" && type != "ByteFallback" && type != "Fuse") {
      refuse("decoder '{}'", type);
    }
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

  void post_processor(const std::string& type, const Json& step) {
    if (type == "ByteLevel") return;
    if (type != "TemplateProcessing") refuse("post_processor '{}'", type);
    const Json& single = field(step, "single");
    if (!single.is_array()) fail("TemplateProcessing has no list 'single'");
    bool after_text = false;
    for (const Json& part : single) {
      if (!part.is_object()) fail("TemplateProcessing 'single' holds something other than parts");
      if (!field(part, "Sequence").is_null()) {
        after_text = true;
        continue;
      }
      const Json& token = field(part, "SpecialToken");
      if (!token.is_object()) fail("TemplateProcessing 'single' has a part of unknown kind");
      const std::string name = text(token, "id");
      if (after_text) refuse("a TemplateProcessing that adds '{}' after the text", name);
      if (result_.add_bos) refuse("a TemplateProcessing that adds two tokens before the text");
      result_.bos = special_id(result_, name);
      if (result_.bos < 0) fail("TemplateProcessing: '{}' is not a special token", name);
      result_.add_bos = true;
    }
  }

  Json json_;
  Tokenizer result_;
  ByteSymbols symbols_;
  bool byte_level_ = false;
  bool marks_ = false;  // spaces are written as U+2581
  bool byte_fallback_ = false;
  std::vector<std::optional<std::string>> names_;  // by id
  std::vector<std::size_t> special_;
  std::unordered_map<std::string, int> ids_;  // of model.vocab
};

}  // namespace

Tokenizer read_tokenizer_json(const NamedBytes& file) {
  return TokenizerReader(file).read();
}

}  // namespace sb3lm
