// Our tokenizer as a filter, for oracle_test.mjs.
//   tokenize_tool --make spaced|byte-level VOCABULARY   writes a made-up tokenizer.json
//   tokenize_tool TOKENIZER.json < LINES                each line: a text as hex digits; answers
//                                                       "ids separated by spaces|text as hex"
#include <fmt/ranges.h>

#include <cstdio>
#include <iostream>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "import/formats.h"
#include "synth/vocabulary.h"

namespace {

using namespace sb3lm;

std::string from_hex(const std::string& hex) {
  std::string text;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    text += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return text;
}

std::string to_hex(const std::string& text) {
  std::string hex;
  for (const char c : text) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return hex;
}

int make(const std::string& kind, int vocabulary) {
  std::cout << (kind == "spaced" ? spaced_tokenizer_json(vocabulary)
                                 : byte_level_tokenizer_json(vocabulary));
  return 0;
}

int answer(const std::string& path) {
  const MappedFile file(path);
  const Tokenizer tokenizer = read_tokenizer_json({path, file.bytes()});
  for (std::string line; std::getline(std::cin, line);) {
    const std::vector<int> ids = encode(tokenizer, from_hex(line), true);
    fmt::print("{}|{}\n", fmt::join(ids, " "), to_hex(decode(tokenizer, ids)));
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 4 && std::string(argv[1]) == "--make") return make(argv[2], std::stoi(argv[3]));
    if (argc == 2) return answer(argv[1]);
    std::fprintf(stderr, "usage: see the head of this file\n");
    return 2;
  } catch (const Error& problem) {
    std::fprintf(stderr, "%s\n", problem.what());
    return static_cast<int>(problem.fault);
  }
}
