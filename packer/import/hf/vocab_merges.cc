// vocab.json and merges.txt, as slow tokenizers wrote them before there was tokenizer.json. What
// else such a tokenizer does stands in its class, which tokenizer_config.json names.
#include <algorithm>

#include "import/config.h"
#include "import/file_errors.h"
#include "import/formats.h"
#include "import/json.h"

namespace sb3lm {
namespace {

constexpr std::string_view kEndOfText = "<|endoftext|>";  // GPT-2's only special token
constexpr std::string_view kGpt2Classes[] = {"", "GPT2Tokenizer", "GPT2TokenizerFast",
                                             "CodeGenTokenizer", "CodeGenTokenizerFast"};
constexpr std::string_view kQwen2Classes[] = {"Qwen2Tokenizer", "Qwen2TokenizerFast"};
constexpr const char kQwen2Split[] =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

class Reader : FileErrors {
 public:
  Reader(const NamedBytes& vocabulary, const NamedBytes& merges, const NamedBytes* config)
      : FileErrors(vocabulary.file), vocabulary_(vocabulary), merges_(merges) {
    if (config != nullptr) config_.emplace(config->file, as_text(config->bytes));
  }

  Tokenizer read() const {
    Json vocabulary = parse_json(file_, as_text(vocabulary_.bytes));
    if (!vocabulary.is_object()) fail("it is not a JSON object");
    Json json = {{"added_tokens", added_tokens(vocabulary)},
                 {"decoder", {{"type", "ByteLevel"}}},
                 {"model", {{"type", "BPE"}, {"merges", merge_lines()}}}};
    add_stages(json);
    json["model"]["vocab"] = std::move(vocabulary);
    const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
    return read_tokenizer_json({file_, as_bytes(text)});
  }

 private:
  void add_stages(Json& json) const {
    const std::string kind = config_ ? config_->text("tokenizer_class") : "";
    const auto is_one_of = [&](const auto& names) {
      return std::find(std::begin(names), std::end(names), kind) != std::end(names);
    };
    const bool qwen = is_one_of(kQwen2Classes);
    if (!qwen && !is_one_of(kGpt2Classes)) refuse("vocab.json for the tokenizer_class '{}'", kind);
    const bool prefix = config_ && config_->is("add_prefix_space", true);
    Json bytes = {{"type", "ByteLevel"}, {"add_prefix_space", prefix}, {"use_regex", !qwen}};
    if (!qwen) {
      json["pre_tokenizer"] = std::move(bytes);
      return;
    }
    const Json split = {
        {"type", "Split"}, {"pattern", {{"Regex", kQwen2Split}}}, {"behavior", "Isolated"}};
    json["normalizer"] = {{"type", "NFC"}};
    json["pre_tokenizer"] = {{"type", "Sequence"}, {"pretokenizers", {split, std::move(bytes)}}};
  }

  Json added_tokens(const Json& vocabulary) const {
    Json added = Json::array();
    const Json* known = config_ ? config_->find("added_tokens_decoder") : nullptr;
    if (known == nullptr || !known->is_object()) {
      const auto end = vocabulary.find(kEndOfText);
      if (end == vocabulary.end()) return added;
      added.push_back({{"id", *end}, {"content", kEndOfText}, {"special", true}});
      return added;
    }
    for (const auto& [id, token] : known->items()) {
      Json copy = token;
      if (!copy.is_object()) config_->fail(Fault::bad_input, "added token {} is no object", id);
      if (id.empty() || id.size() > 7 || id.find_first_not_of("0123456789") != id.npos) {
        config_->fail(Fault::bad_input, "added token '{}' has no id", id);
      }
      copy["id"] = std::stoul(id);
      added.push_back(std::move(copy));
    }
    return added;
  }

  Json merge_lines() const {
    Json lines = Json::array();
    std::string_view rest = as_text(merges_.bytes);
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      std::string_view line = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (line.ends_with('\r')) line.remove_suffix(1);
      const bool is_head = lines.empty() && line.starts_with("#version");
      if (!line.empty() && !is_head) lines.push_back(line);
    }
    return lines;
  }

  const NamedBytes& vocabulary_;
  const NamedBytes& merges_;
  std::optional<Config> config_;
};

}  // namespace

Tokenizer read_vocab_merges(const NamedBytes& vocabulary, const NamedBytes& merges,
                            const NamedBytes* config) {
  return Reader(vocabulary, merges, config).read();
}

}  // namespace sb3lm
