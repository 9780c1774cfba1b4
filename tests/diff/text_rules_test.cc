// SentencePiece's tokenizers in blocks against the native one, which is held against SentencePiece:
// rules for texts, whole and unused tokens, unknown letters. Real ones need SB3LM_TEST_DATA, a
// folder with parameter-golf/ and babyllama105/.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

#include "import/formats.h"
#include "support/skip.h"
#include "support/text_project.h"
#include "support/tokenizer_lines.h"

namespace {

using namespace sb3lm;
using namespace sb3lm::test;

Tokenizer with_unused(Tokenizer tokenizer) {
  for (const Merge& merge : tokenizer.merges) {
    Token& token = tokenizer.tokens[static_cast<std::size_t>(merge.result)];
    if (token.text.size() != 2 || merge.result % 3 != 0) continue;
    token.type = TokenType::unused;
    tokenizer.undone[merge.result] = {merge.left, merge.right};
  }
  return tokenizer;
}

TextCase make_case(const std::string& name, const Tokenizer& tokenizer, std::size_t step) {
  return {name, tokenizer, project_lines(SB3LM_SOURCE_DIR, step), token_samples(tokenizer, 3)};
}

std::vector<TextCase> fixture_cases(std::size_t step) {
  std::vector<TextCase> cases;
  for (const char* name : {"llama", "whole", "rules"}) {
    cases.push_back(make_case(name, sentencepiece_fixture(SB3LM_SOURCE_DIR, name), step));
  }
  cases.push_back(make_case("unused", with_unused(cases[0].tokenizer), step));
  return cases;
}

std::vector<TextCase> real_cases(std::size_t step) {
  std::vector<TextCase> cases;
  const char* data = std::getenv("SB3LM_TEST_DATA");
  for (const char* name : {"parameter-golf/fineweb_1024_bpe.model", "babyllama105/tok105.model"}) {
    const auto path = std::filesystem::path(data == nullptr ? "" : data) / name;
    if (data == nullptr || !std::filesystem::is_regular_file(path)) return {};
    const MappedFile file(path);
    const std::string title = path.stem().string();
    cases.push_back(make_case(title, read_sentencepiece({title, file.bytes()}), step));
  }
  return cases;
}

constexpr std::size_t kStepInVm = 40;
constexpr const char* kNoData = "SB3LM_TEST_DATA does not name a folder with .model files";

}  // namespace

TEST_CASE("block evaluator: ids and texts of SentencePiece's tokenizers") {
  for (const TextCase& test : fixture_cases(1)) check_in_evaluator(test);
}

TEST_CASE("block evaluator: ids and texts of published tokenizers") {
  const std::vector<TextCase> cases = real_cases(1);
  if (cases.empty()) return skip_case(kNoData);
  for (const TextCase& test : cases) check_in_evaluator(test);
}

TEST_CASE("scratch-vm: ids and texts of SentencePiece's tokenizers") {
  check_in_vm(SB3LM_SOURCE_DIR, fixture_cases(kStepInVm), "scratch");
}

TEST_CASE("TurboWarp: ids and texts of SentencePiece's tokenizers") {
  check_in_vm(SB3LM_SOURCE_DIR, fixture_cases(kStepInVm), "turbowarp");
}

TEST_CASE("scratch-vm: ids and texts of published tokenizers") {
  const std::vector<TextCase> cases = real_cases(kStepInVm);
  if (cases.empty()) return skip_case(kNoData);
  check_in_vm(SB3LM_SOURCE_DIR, cases, "scratch");
}
