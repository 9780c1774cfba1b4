// tokenizer.json files that models were published with, against what Hugging Face's own library
// makes of some texts: SB3LM_TEST_DATA/tokenizers has NAME.json, NAME.ids.json and texts.json.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/file.h"
#include "import/formats.h"
#include "import/json.h"
#include "model/unicode.h"
#include "support/skip.h"

using namespace sb3lm;

namespace {

constexpr const char* kNames[] = {"gpt2", "minimind", "neox20b", "phi2", "qwen3", "smollm2", "yi"};

std::filesystem::path folder() {
  const char* data = std::getenv("SB3LM_TEST_DATA");
  return data == nullptr ? "" : std::filesystem::path(data) / "tokenizers";
}

Json read_json(const std::string& name) {
  const MappedFile file(folder() / name);
  return parse_json(name, as_text(file.bytes()));
}

/// Hugging Face's library recognises special tokens in a text; here they cannot be typed.
bool has_special(const Tokenizer& tokenizer, const std::vector<int>& ids) {
  return std::any_of(ids.begin(), ids.end(), [&](int id) {
    return tokenizer.tokens.at(static_cast<std::size_t>(id)).type == TokenType::special;
  });
}

void check_like_published(const std::string& name, const std::vector<std::string>& texts) {
  const MappedFile file(folder() / (name + ".json"));
  const Tokenizer tokenizer = read_tokenizer_json({name + ".json", file.bytes()});
  const Json expected = read_json(name + ".ids.json");
  std::size_t compared = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    CAPTURE(name);
    CAPTURE(texts[i]);
    const auto plain = expected.at("plain").at(i).get<std::vector<int>>();
    const auto text = expected.at("decoded_plain").at(i).get<std::string>();
    CHECK(valid_utf8(decode(tokenizer, plain)) == text);
    const auto ids = expected.at("with_special").at(i).get<std::vector<int>>();
    if (has_special(tokenizer, ids)) continue;
    CHECK(encode(tokenizer, texts[i], false) == ids);
    ++compared;
  }
  CHECK(compared > texts.size() - 16);
}

}  // namespace

TEST_CASE("published tokenizers: ids and texts are those of Hugging Face's library") {
  if (!std::filesystem::is_directory(folder())) {
    return test::skip_case("SB3LM_TEST_DATA does not name a folder with tokenizers/");
  }
  const auto texts = read_json("texts.json").get<std::vector<std::string>>();
  for (const char* name : kNames) check_like_published(name, texts);
}
