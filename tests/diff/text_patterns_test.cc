// Tokenizers as Hugging Face's files describe them in blocks against the native one, which
// tokenizer_published_test holds against Hugging Face's library: patterns, normal forms, added
// tokens, pieces that are tokens all the same. Real ones need SB3LM_TEST_DATA with tokenizers/.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "import/formats.h"
#include "model/pattern.h"
#include "support/skip.h"
#include "support/text_project.h"
#include "support/tokenizer_lines.h"
#include "support/tokenizers.h"

namespace {

using namespace sb3lm;
using namespace sb3lm::test;

const std::vector<std::string> kTexts = {
    "",
    " ",
    "  ",
    "   ",
    "\n",
    "\r\n",
    " \n \n",
    "a\n\n  b",
    " \n\t x",
    "x  \n",
    "a  b   c    d ",
    "I'll YOU'LL it'S don'T 'Re 've'd '\u017Fx 's",
    "1234567 12 3.14 1,000 \u0663\u0664\u0665\u0666 \u00BD\u00B2 x12y",
    "!!!\n\n??? ...x -- ==\r\n",
    "_a_ (b) [c]{d}",
    "<think> a</think>b <think><think>  <think>",
    "caf\u00E9 cafe\u0301 e\u0301\u0323 e\u0323\u0301 \u1E69 s\u0323\u0307 \u0344",
    "\uAC00 \u1100\u1161\u11A8 \u1100\u1161 \uAC01\u11A8 \u0958 \u212B \uFB01 \uFF21\u2460",
    "\u2581a \u2581 \u2581\u2581b\u2581",
    "Z\u0351\u036B\u0343\u032A\u0302A\u0334\u035C\u0321L\u0320\u0368",
    "the little girl and the little cat",
    "tail<think>",
    "\u00A0a \u3000b\u2003",
    std::string(40, ' ') + "x" + std::string(40, '!')};

void add_token(Tokenizer& tokenizer, const std::string& text, bool normalized) {
  const auto id = static_cast<int>(tokenizer.tokens.size());
  tokenizer.tokens.push_back({text, TokenType::whole});
  tokenizer.whole.emplace(text, id);
  if (normalized) tokenizer.whole_flags[id].normalized = true;
}

Tokenizer qwen_like(NormalForm form) {
  Tokenizer tokenizer = pattern_tokenizer({kQwen2Pattern});
  tokenizer.form = form;
  for (const char* text : {"<think>", "</think>"}) add_token(tokenizer, text, false);
  return tokenizer;
}

Tokenizer neox_like() {
  Tokenizer tokenizer = paired_byte_tokenizer();
  tokenizer.form = NormalForm::nfc;
  for (const char* text : {"  ", "   ", "      ", "\u00E9t"}) add_token(tokenizer, text, true);
  return tokenizer;
}

// Words of the corpus that merging does not reach.
Tokenizer joining() {
  Tokenizer tokenizer = pattern_tokenizer({kLlama3Pattern});
  for (const char* text : {" girl", " cat", "123", "q", "....", " little", " walk", "\u00E9"}) {
    tokenizer.tokens.push_back({text});
  }
  tokenizer.joined = joined_pieces("a test", tokenizer);
  return tokenizer;
}

Tokenizer marking() {
  Tokenizer tokenizer = word_tokenizer();
  for (const std::size_t byte : {0x0A, 0xE2}) {
    tokenizer.byte_token[byte] = tokenizer.byte_token[0] + static_cast<int>(byte);
  }
  const int space = tokenizer.alphabet.at(" ");
  tokenizer.alphabet["\u2581"] = space;
  tokenizer.mark_is_space = true;
  tokenizer.prefix_only_at_start = true;
  add_token(tokenizer, "<think>", false);
  return tokenizer;
}

Tokenizer stripping() {
  Tokenizer tokenizer = cuttable_tokenizer();
  tokenizer.strip_every_token = true;
  return tokenizer;
}

Tokenizer dropping() {
  Tokenizer tokenizer = pattern_tokenizer({"[ \\n]", "[\\p{L}\\p{N}\\p{P}]+"});
  tokenizer.cuts[0].drops_matches = true;
  tokenizer.cuts[1].drops_others = true;
  return tokenizer;
}

TextCase make_case(const std::string& name, const Tokenizer& tokenizer, std::size_t step) {
  TextCase made{name, tokenizer, kTexts, token_samples(tokenizer, 5)};
  for (std::string& line : project_lines(SB3LM_SOURCE_DIR, step)) {
    made.texts.push_back(std::move(line));
  }
  return made;
}

std::vector<TextCase> made_up_cases(std::size_t step) {
  const std::string gpt2(kGpt2Pattern);
  return {
      make_case("llama 3", pattern_tokenizer({kLlama3Pattern}), step),
      make_case("digits", pattern_tokenizer({"\\p{N}", gpt2}), step),
      make_case("three steps", pattern_tokenizer({"\\p{N}{1,3}", "[!-/\\p{P}]", "\\s+| "}), step),
      make_case("dropping", dropping(), step),
      make_case("qwen", qwen_like(NormalForm::nfc), step),
      make_case("compatible", qwen_like(NormalForm::nfkc), step),
      make_case("neox", neox_like(), step),
      make_case("joining", joining(), step),
      make_case("marking", marking(), step),
      make_case("stripping", stripping(), step)};
}

std::filesystem::path published() {
  const char* data = std::getenv("SB3LM_TEST_DATA");
  return data == nullptr ? "" : std::filesystem::path(data) / "tokenizers";
}

TextCase published_case(const std::string& name) {
  const MappedFile file(published() / (name + ".json")), texts(published() / "texts.json");
  const Tokenizer tokenizer = read_tokenizer_json({name, file.bytes()});
  TextCase made{name, tokenizer, kTexts, token_samples(tokenizer, 5)};
  for (const auto& text : nlohmann::json::parse(as_text(texts.bytes()))) {
    made.texts.push_back(without_controls(text.get<std::string>()));
  }
  return made;
}

constexpr std::size_t kStep = 8, kStepInVm = 100;

}  // namespace

TEST_CASE("block evaluator: patterns, normal forms and added tokens") {
  for (const TextCase& test : made_up_cases(kStep)) check_in_evaluator(test);
}

TEST_CASE("block evaluator: published tokenizer.json files") {
  if (!std::filesystem::is_directory(published())) {
    return skip_case("SB3LM_TEST_DATA does not name a folder with tokenizers/");
  }
  for (const char* name : {"minimind", "neox20b", "phi2", "smollm2", "yi"}) {
    check_in_evaluator(published_case(name));
  }
}

TEST_CASE("scratch-vm: patterns, normal forms and added tokens") {
  check_in_vm(SB3LM_SOURCE_DIR, made_up_cases(kStepInVm), "scratch");
}

TEST_CASE("TurboWarp: patterns, normal forms and added tokens") {
  check_in_vm(SB3LM_SOURCE_DIR, made_up_cases(kStepInVm), "turbowarp");
}
