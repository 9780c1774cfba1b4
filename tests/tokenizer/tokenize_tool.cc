// Our tokenizer as a filter, for oracle_test.mjs and sentencepiece_test.py.
//   tokenize_tool --make spaced|byte-level VOCABULARY   writes a made-up tokenizer.json
//   tokenize_tool TOKENIZER < LINES                     tokenizer.json, or SentencePiece's .model;
//   for
//                                                       each line an answer:
//     a text as hex digits      "ids separated by spaces|text as hex"
//     = and ids                 "|text as hex", U+FFFD for each byte that is no UTF-8
//     ?                         of each token "bytes,begins with a space,boundary", spaces between
#include <fmt/ranges.h>

#include <cstdio>
#include <iostream>
#include <iterator>
#include <sstream>
#include <string>

#include "base/error.h"
#include "base/file.h"
#include "import/formats.h"
#include "model/unicode.h"
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

std::vector<int> ids_of(const std::string& line) {
  std::istringstream numbers(line);
  return {std::istream_iterator<int>(numbers), {}};
}

void print_bytes(const Tokenizer& tokenizer) {
  for (std::size_t id = 0; id < tokenizer.tokens.size(); ++id) {
    const TokenBytes of = token_bytes(tokenizer, static_cast<int>(id));
    fmt::print("{}{},{:d},{:d}", id == 0 ? "" : " ", of.bytes, of.begins_with_space, of.boundary);
  }
  fmt::print("\n");
}

int answer(const std::string& path) {
  const MappedFile file(path);
  const NamedBytes named{path, file.bytes()};
  const Tokenizer tokenizer =
      looks_like_sentencepiece(named) ? read_sentencepiece(named) : read_tokenizer_json(named);
  for (std::string line; std::getline(std::cin, line);) {
    if (line.starts_with('?')) {
      print_bytes(tokenizer);
      continue;
    }
    if (line.starts_with('=')) {
      fmt::print("|{}\n", to_hex(valid_utf8(decode(tokenizer, ids_of(line.substr(1))))));
      continue;
    }
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
