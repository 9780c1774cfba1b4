// Two kinds: "llama" is a SentencePiece model (pieces, scores, types), "gpt2" byte-level BPE
// (tokens, merges) whose pre-tokenizer goes by a name. Both become what the reader of such files
// takes.
#include "import/gguf/tokenizer.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "import/ends.h"
#include "import/formats.h"
#include "import/json.h"
#include "import/sentencepiece.h"

namespace sb3lm {
namespace {

constexpr std::size_t kMostTokens = 1 << 20;

/// The pre_tokenizer of a tokenizer.json that does what a name means to llama.cpp.
struct PreTokenizer {
  std::string_view name, json;
  bool ignore_merges = false;
};
#define BYTE_LEVEL(regex) \
  R"({"type": "ByteLevel", "add_prefix_space": false, "use_regex": )" #regex "}"
#define SPLIT(pattern) R"({"type": "Split", "pattern": {"Regex": ")" pattern R"("}})"
#define SEQUENCE(first, second) R"({"type": "Sequence", "pretokenizers": [)" first "," second "]}"
#define DIGITS SEQUENCE(R"({"type": "Digits", "individual_digits": true})", BYTE_LEVEL(true))
// With so many digits in a piece.
#define WORDS(digits)                                                                    \
  SEQUENCE(SPLIT(R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|)" digits \
                 R"(| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+)"),   \
           BYTE_LEVEL(false))
constexpr PreTokenizer kPreTokenizers[] = {
    {"gpt-2", BYTE_LEVEL(true)},
    {"phi-2", BYTE_LEVEL(true)},
    {"mpt", BYTE_LEVEL(true)},
    {"olmo", BYTE_LEVEL(true)},
    {"default",
     SEQUENCE(
         SEQUENCE(SPLIT(R"([\\p{P}$+<=>^~|]+)"),
                  SPLIT(R"('s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+)"
                        R"(|\\s+(?!\\S))")),
         SEQUENCE(SEQUENCE(SPLIT(R"(\\p{N}+)"), SPLIT("[0-9][0-9][0-9]")), BYTE_LEVEL(false)))},
    {"smollm", DIGITS},
    {"starcoder", DIGITS},
    {"refact", DIGITS},
    {"command-r", DIGITS},
    {"llama-bpe", WORDS(R"(\\p{N}{1,3})"), true},
    {"llama3", WORDS(R"(\\p{N}{1,3})"), true},
    {"smaug-bpe", WORDS(R"(\\p{N}{1,3})")},
    {"dbrx", WORDS(R"(\\p{N}{1,3})")},
    {"qwen2", WORDS(R"(\\p{N})")},
    {"stablelm2", WORDS(R"(\\p{N})")},
};
#undef BYTE_LEVEL
#undef SPLIT
#undef SEQUENCE
#undef DIGITS
#undef WORDS

class TokenizerReader {
 public:
  explicit TokenizerReader(const GgufFile& file)
      : file_(file), where_(file.file() + ": its tokenizer") {}

  std::optional<Tokenizer> read() {
    const std::string_view kind = file_.text("tokenizer.ggml.model");
    if (kind.empty() || kind == "none" || kind == "no_vocab") return std::nullopt;
    if (kind != "llama" && kind != "gpt2") {
      file_.fail(
          Fault::unsupported,
          "tokenizer.ggml.model '{}' is not supported, only llama and gpt2; give the model's "
          "own with --tokenizer",
          kind);
    }
    tokens_ = file_.find<GgufTexts>("tokenizer.ggml.tokens");
    types_ = file_.find<GgufNumbers>("tokenizer.ggml.token_type");
    if (tokens_ == nullptr || tokens_->empty() || tokens_->size() > kMostTokens) {
      file_.fail(Fault::bad_input, "tokenizer.ggml.tokens is no list of 1 to {} tokens",
                 kMostTokens);
    }
    if (types_ != nullptr) check_size(types_->size(), "token_type");
    Tokenizer tokenizer = kind == "llama" ? pieces() : byte_level();
    // llama.cpp puts a start token before these unless the file says otherwise.
    set_ends(kind == "llama" || pre_tokenizer().ignore_merges, tokenizer);
    return tokenizer;
  }

 private:
  using Type = SentencePiece::Type;

  void check_size(std::size_t size, const char* what) const {
    if (size == tokens_->size()) return;
    file_.fail(Fault::bad_input, "tokenizer.ggml.{} has {} entries for {} tokens", what, size,
               tokens_->size());
  }

  /// Of an entry tokenizer.ggml.NAME_token_id; -1 if there is none.
  int id_of(std::string_view name) const {
    const auto* id = file_.find<double>(fmt::format("tokenizer.ggml.{}_token_id", name));
    if (id == nullptr) return -1;
    if (*id < 0 || *id >= static_cast<double>(tokens_->size())) {
      file_.fail(Fault::bad_input, "tokenizer.ggml.{}_token_id {} is no token of {}", name, *id,
                 tokens_->size());
    }
    return static_cast<int>(*id);
  }

  bool flag(std::string_view name, bool usual) const {
    const auto* value = file_.find<bool>(fmt::format("tokenizer.ggml.{}", name));
    return value == nullptr ? usual : *value;
  }

  Type type_of(std::size_t id) const {
    if (types_ == nullptr) return Type::normal;
    const double type = (*types_)[id];
    if (type < 1 || type > 6) {
      file_.fail(Fault::bad_input, "tokenizer.ggml.token_type: {} of token {} is outside 1..6",
                 type, id);
    }
    return static_cast<Type>(static_cast<int>(type));
  }

  Tokenizer pieces() const {
    const auto* scores = file_.find<GgufNumbers>("tokenizer.ggml.scores");
    if (scores == nullptr) file_.fail(Fault::bad_input, "tokenizer.ggml.scores is missing");
    check_size(scores->size(), "scores");
    SentencePieceModel model;
    for (std::size_t id = 0; id < tokens_->size(); ++id) {
      if (!std::isfinite((*scores)[id])) {
        file_.fail(Fault::bad_input, "tokenizer.ggml.scores: that of token {} is not finite", id);
      }
      model.pieces.push_back({.text = std::string((*tokens_)[id]),
                              .score = static_cast<float>((*scores)[id]),
                              .type = type_of(id)});
      if (model.pieces.back().text.empty()) {
        file_.fail(Fault::bad_input, "tokenizer.ggml.tokens: token {} is empty", id);
      }
    }
    SentencePieceSettings& settings = model.settings;
    settings.model = static_cast<std::uint64_t>(SentencePieceSettings::Model::bpe);
    settings.byte_fallback = std::ranges::any_of(
        model.pieces, [](const SentencePiece& piece) { return piece.type == Type::byte; });
    settings.dummy_prefix = flag("add_space_prefix", true);
    settings.collapse_spaces = flag("remove_extra_whitespaces", false);
    if (file_.entries().contains("tokenizer.ggml.precompiled_charsmap")) {
      file_.fail(Fault::unsupported,
                 "tokenizer.ggml.precompiled_charsmap is not supported; give the model's own "
                 "tokenizer with --tokenizer");
    }
    return tokenizer_of(where_, std::move(model));
  }

  Tokenizer byte_level() const {
    const auto* merges = file_.find<GgufTexts>("tokenizer.ggml.merges");
    if (merges == nullptr) file_.fail(Fault::bad_input, "tokenizer.ggml.merges is missing");
    const PreTokenizer& pre = pre_tokenizer();
    Json vocabulary = Json::object(), added = Json::array();
    for (std::size_t id = 0; id < tokens_->size(); ++id) {
      const std::string text((*tokens_)[id]);
      const Type type = type_of(id);
      if (type == Type::control || type == Type::user_defined) {
        added.push_back({{"id", id},
                         {"content", text},
                         {"special", type == Type::control},
                         {"normalized", false}});
      } else if (!vocabulary.emplace(text, id).second) {
        file_.fail(Fault::bad_input, "tokenizer.ggml.tokens: '{}' stands there twice", text);
      }
    }
    const Json json = {{"added_tokens", added},
                       {"pre_tokenizer", parse_json(where_, pre.json)},
                       {"decoder", {{"type", "ByteLevel"}}},
                       {"model",
                        {{"type", "BPE"},
                         {"ignore_merges", pre.ignore_merges},
                         {"vocab", vocabulary},
                         {"merges", *merges}}}};
    const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
    return read_tokenizer_json({where_, as_bytes(text)});
  }

  const PreTokenizer& pre_tokenizer() const {
    const std::string_view name = file_.text("tokenizer.ggml.pre");
    std::string known;
    for (const PreTokenizer& row : kPreTokenizers) {
      if (row.name == name) return row;
      known += fmt::format(" {}", row.name);
    }
    file_.fail(
        Fault::unsupported,
        "tokenizer.ggml.pre '{}' is not supported, only{}; give the model's own tokenizer.json "
        "with --tokenizer",
        name, known);
  }

  /// By their ids, whatever they are called.
  void set_ends(bool is_usual, Tokenizer& tokenizer) const {
    const int begin = id_of("bos"), end = id_of("eos");
    for (const int id : {begin, end}) {
      if (id >= 0) tokenizer.tokens[static_cast<std::size_t>(id)].type = TokenType::special;
    }
    if (begin >= 0) tokenizer.bos = begin;
    tokenizer.add_bos = tokenizer.bos >= 0 && flag("add_bos_token", is_usual);
    for (const int id : {end, id_of("eot"), id_of("eom")}) add_end(id, tokenizer.stop_ids);
  }

  const GgufFile& file_;
  const std::string where_;
  const GgufTexts* tokens_ = nullptr;
  const GgufNumbers* types_ = nullptr;
};

}  // namespace

std::optional<Tokenizer> read_gguf_tokenizer(const GgufFile& file) {
  return TokenizerReader(file).read();
}

}  // namespace sb3lm
