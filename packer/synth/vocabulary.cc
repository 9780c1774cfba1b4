// Merges are chosen so that each one's parts are there before it: common words letter by letter,
// then syllables, then words of two syllables, until the vocabulary is full.
#include "synth/vocabulary.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "import/json.h"
#include "synth/random.h"

namespace sb3lm {
namespace {

constexpr const char* kSpecials[] = {"<bos>",    "<eos>",         "<pad>",  "<|system|>",
                                     "<|user|>", "<|assistant|>", "<|eot|>"};

// Space-separated, most useful first: a small vocabulary gets only the beginning.
constexpr std::string_view kWords =
    "the and to of in is it you that he was for on are with as his they at be this have from or "
    "one had by but not what all were we when your can said there use an each which she do how "
    "their if will up other about out many then them these so some her would make like him into "
    "time has look two more write go see number no way could people my than first water been call "
    "who now find long down day did get come made may part over new sound take only little work "
    "know place year live me back give most very after thing our just name good say great where "
    "help through much before line right too mean old any same tell boy follow came want show "
    "also around form three small set put end does another well large must big even such because "
    "turn here why ask went men read need land different home us move try kind hand picture again "
    "change off play spell air away animal house point page letter mother answer found study "
    "still learn should world once upon little girl happy friend dog cat tree story model token";

struct BpePiece {
  std::string text;  // a leading '_' stands for the word boundary
  std::string left, right;
};

/// Collects merges until there are as many as wanted.
class MergeMaker {
 public:
  explicit MergeMaker(std::size_t wanted) : wanted_(wanted) {
    add_words();
    const std::vector<std::string> syllables = add_syllables();
    for (const std::string& syllable : syllables) add("_", syllable);
    add_pairs(syllables);
  }

  const std::vector<BpePiece>& pieces() const { return pieces_; }

 private:
  bool full() const { return pieces_.size() == wanted_; }

  void add(const std::string& left, const std::string& right) {
    const std::string text = left + right;
    if (full() || !known_.emplace(text, pieces_.size()).second) return;
    pieces_.push_back({text, left, right});
  }

  /// Every beginning of the text becomes a piece.
  void add_letters(const std::string& text) {
    for (std::size_t size = 2; size <= text.size(); ++size) {
      add(text.substr(0, size - 1), text.substr(size - 1, 1));
    }
  }

  void add_words() {
    std::string_view words = kWords;
    while (!words.empty()) {
      const std::size_t space = std::min(words.find(' '), words.size());
      add_letters("_" + std::string(words.substr(0, space)));
      words.remove_prefix(std::min(space + 1, words.size()));
    }
  }

  std::vector<std::string> add_syllables() {
    std::vector<std::string> syllables;
    for (const char* onset :
         {"b", "c", "d", "f",  "g",  "h",  "j",  "k",  "l",  "m",  "n",  "p",  "r",  "s",
          "t", "v", "w", "th", "sh", "ch", "st", "tr", "br", "pl", "gr", "cl", "fl", "sp"}) {
      for (const char* vowel : {"a", "e", "i", "o", "u"}) {
        for (const char* coda : {"", "n", "r", "s", "t", "l", "m"}) {
          const std::string syllable = std::string(onset) + vowel + coda;
          add_letters(syllable);
          syllables.push_back(syllable);
        }
      }
    }
    return syllables;
  }

  void add_pairs(const std::vector<std::string>& syllables) {
    Random random(8192);
    while (!full()) {
      const std::string& first = syllables[random.bits() % syllables.size()];
      const std::string& second = syllables[random.bits() % syllables.size()];
      add("_" + first, second);
    }
  }

  std::size_t wanted_;
  std::vector<BpePiece> pieces_;
  std::map<std::string, std::size_t> known_;
};

std::vector<BpePiece> make_pieces(int vocabulary, int before) {
  check(vocabulary > before && vocabulary < 60000, "a made-up vocabulary of an odd size");
  return MergeMaker(static_cast<std::size_t>(vocabulary - before)).pieces();
}

/// The piece with another text for the word boundary.
std::string with_boundary(const std::string& text, std::string_view boundary) {
  if (!text.starts_with('_')) return text;
  return std::string(boundary) + text.substr(1);
}

std::string byte_name(int byte) {
  return fmt::format("<0x{:02X}>", byte);
}

std::string utf8(int code_point) {
  if (code_point < 0x80) return {static_cast<char>(code_point)};
  return {static_cast<char>(0xC0 | (code_point >> 6)), static_cast<char>(0x80 | (code_point & 63))};
}

bool is_printable_latin(int byte) {
  return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

/// The 256 symbols of byte-level tokenizers: printable bytes as themselves, others from U+0100.
std::vector<std::string> byte_symbols() {
  std::vector<std::string> symbols;
  int next = 256;
  for (int byte = 0; byte < 256; ++byte) {
    symbols.push_back(utf8(is_printable_latin(byte) ? byte : next++));
  }
  return symbols;
}

void add_specials(Json& json, Json& vocabulary) {
  int id = 0;
  for (const char* name : kSpecials) {
    vocabulary[name] = id;
    json["added_tokens"].push_back({{"id", id},
                                    {"content", name},
                                    {"single_word", false},
                                    {"lstrip", false},
                                    {"rstrip", false},
                                    {"normalized", false},
                                    {"special", true}});
    ++id;
  }
}

void add_merges(Json& model, const std::vector<BpePiece>& pieces, std::string_view boundary) {
  Json& vocabulary = model["vocab"];
  for (const BpePiece& piece : pieces) {
    vocabulary[with_boundary(piece.text, boundary)] = vocabulary.size();
    model["merges"].push_back(with_boundary(piece.left, boundary) + " " +
                              with_boundary(piece.right, boundary));
  }
}

Json empty_tokenizer() {
  Json json;
  json["version"] = "1.0";
  json["truncation"] = nullptr;
  json["padding"] = nullptr;
  json["normalizer"] = nullptr;
  json["post_processor"] = {
      {"type", "TemplateProcessing"},
      {"single",
       {{{"SpecialToken", {{"id", "<bos>"}, {"type_id", 0}}}},
        {{"Sequence", {{"id", "A"}, {"type_id", 0}}}}}},
      {"pair",
       {{{"SpecialToken", {{"id", "<bos>"}, {"type_id", 0}}}},
        {{"Sequence", {{"id", "A"}, {"type_id", 0}}}},
        {{"Sequence", {{"id", "B"}, {"type_id", 1}}}}}},
      {"special_tokens", {{"<bos>", {{"id", "<bos>"}, {"ids", {0}}, {"tokens", {"<bos>"}}}}}}};
  json["model"] = {{"type", "BPE"},
                   {"dropout", nullptr},
                   {"unk_token", nullptr},
                   {"continuing_subword_prefix", nullptr},
                   {"end_of_word_suffix", nullptr},
                   {"fuse_unk", false},
                   {"byte_fallback", false},
                   {"ignore_merges", false},
                   {"vocab", Json::object()},
                   {"merges", Json::array()}};
  return json;
}

void put(std::string& out, const void* value, std::size_t size) {
  out.append(static_cast<const char*>(value), size);
}

void put_token(std::string& out, float score, const std::string& text) {
  const auto size = static_cast<std::int32_t>(text.size());
  put(out, &score, sizeof(score));
  put(out, &size, sizeof(size));
  out += text;
}

}  // namespace

std::string spaced_tokenizer_json(int vocabulary) {
  constexpr std::string_view kBoundary = "\u2581";
  Json json = empty_tokenizer();
  Json& model = json["model"];
  Json& vocab = model["vocab"];
  add_specials(json, vocab);
  model["byte_fallback"] = true;
  for (int byte = 0; byte < 256; ++byte) vocab[byte_name(byte)] = vocab.size();
  vocab[kBoundary] = vocab.size();
  for (char c = '!'; c <= '~'; ++c) vocab[std::string(1, c)] = vocab.size();
  add_merges(model, make_pieces(vocabulary, static_cast<int>(vocab.size())), kBoundary);
  json["pre_tokenizer"] = {{"type", "Metaspace"},
                           {"replacement", kBoundary},
                           {"prepend_scheme", "always"},
                           {"split", true}};
  json["decoder"] = {
      {"type", "Sequence"},
      {"decoders",
       {{{"type", "Replace"}, {"pattern", {{"String", kBoundary}}}, {"content", " "}},
        {{"type", "ByteFallback"}},
        {{"type", "Fuse"}},
        {{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}}}}};
  return json.dump(1) + "\n";
}

std::string byte_level_tokenizer_json(int vocabulary) {
  const std::vector<std::string> symbols = byte_symbols();
  Json json = empty_tokenizer();
  Json& model = json["model"];
  Json& vocab = model["vocab"];
  add_specials(json, vocab);
  for (const std::string& symbol : symbols) vocab[symbol] = vocab.size();
  add_merges(model, make_pieces(vocabulary, static_cast<int>(vocab.size())), symbols[' ']);
  const Json byte_level = {{"type", "ByteLevel"},
                           {"add_prefix_space", false},
                           {"trim_offsets", true},
                           {"use_regex", true}};
  json["pre_tokenizer"] = byte_level;
  json["decoder"] = byte_level;
  return json.dump(1) + "\n";
}

std::string tokenizer_bin(int vocabulary) {
  std::vector<std::pair<float, std::string>> tokens = {
      {0.0F, "<unk>"}, {0.0F, "\n<s>\n"}, {0.0F, "\n</s>\n"}};
  for (int byte = 0; byte < 256; ++byte) tokens.emplace_back(0.0F, byte_name(byte));
  for (char c = ' '; c <= '~'; ++c) tokens.emplace_back(-1e6F, std::string(1, c));
  float score = 0;
  for (const BpePiece& piece : make_pieces(vocabulary, static_cast<int>(tokens.size()))) {
    tokens.emplace_back(score--, with_boundary(piece.text, " "));
  }
  std::uint32_t longest = 0;
  for (const auto& [unused, text] : tokens) {
    longest = std::max(longest, static_cast<std::uint32_t>(text.size()));
  }
  std::string out;
  put(out, &longest, sizeof(longest));
  for (const auto& [token_score, text] : tokens) put_token(out, token_score, text);
  return out;
}

}  // namespace sb3lm
