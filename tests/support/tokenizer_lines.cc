#include "support/tokenizer_lines.h"

#include <fmt/ranges.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "import/formats.h"
#include "model/typed_letters.h"
#include "model/unicode.h"

namespace sb3lm::test {

std::vector<std::string> tokenizer_lines(const std::string& source) {
  std::vector<std::string> lines;
  std::ifstream file(source + "/tests/tokenizer/lines.txt");
  for (std::string line; std::getline(file, line);) {
    lines.push_back(nlohmann::json::parse(line).get<std::string>());
  }
  return lines;
}

std::string without_controls(const std::string& line) {
  std::string text;
  for (const TextChar& c : text_chars(line)) {
    const bool control =
        (c.value < 0x20 && c.value != '\t' && c.value != '\n' && c.value != '\r') ||
        (c.value >= 0x7F && c.value < 0xA0) || c.value == 0xFFFE;
    text += utf8(control ? kReplacement : c.value);
  }
  return text;
}

std::vector<std::string> project_lines(const std::string& source, std::size_t step) {
  std::vector<std::string> texts;
  const std::vector<std::string> lines = tokenizer_lines(source);
  for (std::size_t i = 0; i < lines.size(); i += step) texts.push_back(without_controls(lines[i]));
  return texts;
}

Tokenizer sentencepiece_fixture(const std::string& source, const std::string& name) {
  const std::string path = source + "/tests/fixtures/sentencepiece/" + name + ".model";
  const MappedFile file(path);
  return read_sentencepiece({path, file.bytes()});
}

std::string digest_of(const std::vector<int>& ids) {
  std::uint32_t value = 0x811C9DC5;
  for (const char c : fmt::format("{}", fmt::join(ids, " "))) {
    value = (value ^ static_cast<unsigned char>(c)) * 0x01000193;
  }
  return fmt::format("{:08x}", value);
}

}  // namespace sb3lm::test
