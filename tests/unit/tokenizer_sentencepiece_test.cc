// SentencePiece's .model: ids equal to SentencePiece's own, and errors that name what is wrong.
// tests/tokenizer/sentencepiece_test.py compares more models with the library itself.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <fstream>

#include "base/error.h"
#include "import/formats.h"
#include "support/tokenizer_lines.h"

using namespace sb3lm;
using namespace sb3lm::test;

namespace {

// Protocol buffers: a field's head, a message or text, a number.
std::string head(int number, int kind, std::size_t value) {
  std::string out(1, static_cast<char>(number << 3 | kind));
  if (number > 15)
    out = {static_cast<char>(((number << 3 | kind) & 127) | 128), static_cast<char>(number >> 4)};
  for (; value > 127; value >>= 7) out += static_cast<char>((value & 127) | 128);
  return out + static_cast<char>(value);
}
std::string text(int number, const std::string& value) {
  return head(number, 2, value.size()) + value;
}
std::string number(int field, std::size_t value) {
  return head(field, 0, value);
}

std::string piece(const std::string& name, float score, int type) {
  std::string bits(4, '\0');
  std::memcpy(bits.data(), &score, 4);
  return text(1, text(1, name) + "\x15" + bits + number(3, static_cast<std::size_t>(type)));
}
constexpr int kNormal = 1, kUnknown = 2, kControl = 3, kUser = 4, kUnused = 5, kByte = 6;

const std::string kBpe = number(3, 2);
std::string trainer(const std::string& more = "") {
  return text(2, kBpe + more);
}
std::string normaliser(const std::string& table, const std::string& more = "") {
  return text(3, text(1, "mine") + (table.empty() ? "" : text(2, table)) + more);
}

const std::string kFirst =
    piece("<unk>", 0, kUnknown) + piece("<s>", 0, kControl) + piece("</s>", 0, kControl);

std::string error_of(const std::string& file) {
  try {
    read_sentencepiece({"x.model", as_bytes(file)});
  } catch (const Error& problem) {
    const std::string_view what = problem.what();
    CHECK((problem.fault == Fault::bad_input || problem.fault == Fault::unsupported));
    CHECK(what.starts_with("x.model: "));
    CHECK(what.find('\n') == what.npos);
    return problem.what();
  }
  return "no error";
}

Tokenizer read(const std::string& file) {
  return read_sentencepiece({"x.model", as_bytes(file)});
}

// A trie with the entries "a" and "a~" by hand: 256 units for the root's children, 256 for a's.
std::string table_of_a(std::uint32_t value, const std::string& texts) {
  std::vector<std::uint32_t> units(1024, 0);
  const auto node = [](std::uint32_t offset, bool leaf, std::uint32_t label) {
    return offset << 10 | (leaf ? 1U << 8 : 0U) | label;
  };
  units[0] = node(256, false, 0);
  units[256 ^ 'a'] = node((256 ^ 'a') ^ 512, true, 'a');
  units[512] = 0x80000000U | value;
  const std::uint32_t size = static_cast<std::uint32_t>(units.size()) * 4;
  std::string table(4 + size, '\0');
  std::memcpy(table.data(), &size, 4);
  std::memcpy(table.data() + 4, units.data(), size);
  return table + texts;
}

}  // namespace

TEST_CASE("ids of 2,000 lines are SentencePiece's") {
  const std::vector<std::string> lines = tokenizer_lines(SB3LM_SOURCE_DIR);
  REQUIRE(lines.size() == 2000);
  for (const char* name : {"llama", "whole", "rules"}) {
    const Tokenizer tokenizer = sentencepiece_fixture(SB3LM_SOURCE_DIR, name);
    std::ifstream expected(SB3LM_SOURCE_DIR "/tests/fixtures/sentencepiece/" + std::string(name) +
                           ".ids");
    for (const std::string& line : lines) {
      std::string digest;
      std::getline(expected, digest);
      INFO(name, ": ", line);
      CHECK(digest_of(encode(tokenizer, line, false)) == digest);
    }
  }
}

TEST_CASE("what pieces are") {
  const Tokenizer tokenizer =
      read(kFirst + piece("\u2581", -9, kNormal) + piece("a", -8, kNormal) +
           piece("b", -7, kNormal) + piece("ab", -1, kUnused) + piece("aba", 0, kNormal) +
           piece("<x>", 0, kUser) + trainer() + normaliser("", number(3, 0)));
  CHECK(tokenizer.unknown == 0);
  CHECK(tokenizer.bos == 1);
  CHECK(tokenizer.stop_ids == std::vector<int>{1, 2});
  CHECK(special_id(tokenizer, "</s>") == 2);
  const auto ids = [&](const char* line) { return encode(tokenizer, line, false); };
  CHECK(ids("ab") == std::vector<int>{4, 5});            // made, and taken apart again
  CHECK(ids("aba") == std::vector<int>{7});              // made of what is not kept
  CHECK(ids("a<x>ba") == std::vector<int>{4, 8, 5, 4});  // nothing merges across it
  CHECK(ids("a??b?") == std::vector<int>{4, 0, 5, 0});
  CHECK(ids("  a  <s>  ") == std::vector<int>{4, 3, 0});
  CHECK(ids("") == std::vector<int>());
  CHECK(encode(tokenizer, "a", true) == std::vector<int>{1, 4});
  CHECK(decode(tokenizer, {3, 3, 4, 3, 1, 6, 8}) == "a ab<x>");
  CHECK(decode(tokenizer, {0, 4}) == " \u2047 a");
  CHECK(token_bytes(tokenizer, 7).bytes == 3);
  CHECK(token_bytes(tokenizer, 3).begins_with_space);
  CHECK(token_bytes(tokenizer, 3).bytes == 0);
  for (const int id : {0, 1, 6}) CHECK(token_bytes(tokenizer, id).boundary);
  CHECK_THROWS_AS(token_bytes(tokenizer, 9), Error);
}

TEST_CASE("the table of a normaliser") {
  const std::string pieces = kFirst + piece("\u2581", -9, kNormal) + piece("a", -8, kNormal) +
                             piece("b", -7, kNormal) + trainer();
  const Tokenizer tokenizer = read(pieces + normaliser(table_of_a(2, std::string("x\0b\0", 4))));
  CHECK(encode(tokenizer, "aab", false) == std::vector<int>{3, 5, 5, 5});
  const auto error = [&](const std::string& table) { return error_of(pieces + normaliser(table)); };
  CHECK(error("abc").find("byte 0: normaliser table: size of its trie: 4 bytes needed, 3 left") !=
        std::string::npos);
  CHECK(error(std::string("\3\0\0\0abc\0", 8)).find("a trie of 3 bytes") != std::string::npos);
  CHECK(error(table_of_a(0, "")).find("its last text does not end") != std::string::npos);
  CHECK(error(table_of_a(0, "b")).find("its last text does not end") != std::string::npos);
  CHECK(error(table_of_a(9, std::string("b\0", 2))).find("lies outside the table") !=
        std::string::npos);
  CHECK(error(table_of_a(0, std::string("\xFF\0", 2))).find("is not UTF-8") != std::string::npos);
  CHECK(error(table_of_a(0, std::string("  \0", 3))).find("becomes two spaces in a row") !=
        std::string::npos);
  std::string endless = table_of_a(0, std::string("b\0", 2));
  for (std::uint32_t byte = 1; byte < 256; ++byte) {  // every node's children are the root's
    const std::uint32_t unit = byte << 10 | byte;
    std::memcpy(endless.data() + 4 + (256 ^ byte) * 4, &unit, 4);
  }
  CHECK(error(endless).find("an entry of more than 64 bytes") != std::string::npos);
}

TEST_CASE("what is broken or not handled is named") {
  const std::string letters = piece("a", -1, kNormal) + piece("b", -2, kNormal);
  const std::pair<const char*, std::string> cases[] = {
      {"no piece has the type 'unknown'", letters + trainer()},
      {"model_type 'unigram' is not supported", kFirst + letters},
      {"model_type 'word' is not supported", kFirst + text(2, number(3, 3))},
      {"model_type 9 is outside 1..4", kFirst + text(2, number(3, 9))},
      {"treat_whitespace_as_suffix is not supported", kFirst + trainer(number(24, 1))},
      {"a normaliser without escape_whitespaces is not",
       kFirst + trainer() + normaliser("", number(5, 0))},
      {"a denormalizer_spec with a table is not", kFirst + trainer() + text(5, text(2, "abc"))},
      {"piece 3: it is empty", kFirst + piece("", 0, kNormal) + trainer()},
      {"piece 3: its type 7 is outside 1..6", kFirst + piece("a", 0, 7) + trainer()},
      {"piece 3: its score is not finite", kFirst + piece("a", NAN, kNormal) + trainer()},
      {"piece 3: field 1 is not UTF-8", kFirst + piece("\xC3", 0, kNormal) + trainer()},
      {"piece 3: 513 bytes, at most 512",
       kFirst + piece(std::string(513, 'a'), 0, kNormal) + trainer()},
      {"pieces 3 and 4 are both 'a'",
       kFirst + piece("a", 0, kNormal) + piece("a", 0, kNormal) + trainer()},
      {"pieces 0 and 3 are both 'unknown'", kFirst + piece("u", 0, kUnknown) + trainer()},
      {"control piece 'x' of one letter", kFirst + piece("x", 0, kControl) + trainer()},
      {"piece 'a b' with a space", kFirst + piece("a b", 0, kNormal) + trainer()},
      {"user-defined piece 'a b' with a space", kFirst + piece("a b", 0, kUser) + trainer()},
      {"piece '<0x41>' is a byte without byte_fallback",
       kFirst + piece("<0x41>", 0, kByte) + trainer()},
      {"piece '0x41' is no byte", kFirst + piece("0x41", 0, kByte) + trainer(number(35, 1))},
      {"byte_fallback with 1 of 256 bytes",
       kFirst + piece("<0x41>", 0, kByte) + trainer(number(35, 1))},
      {"pieces 3 and 4 are the same byte",
       kFirst + piece("<0x41>", 0, kByte) + piece("<0x41>", 0, kByte) + trainer(number(35, 1))},
      {"piece 'ac', whose letter 'c' is no piece, is not",
       kFirst + letters + piece("ac", 0, kNormal) + trainer()},
      {"unused piece 'aab', which several pairs make, is not",
       kFirst + letters + piece("aa", 0, kNormal) + piece("ab", 0, kNormal) +
           piece("aab", 0, kUnused) + trainer()},
      {"SentencePiece model: 5 bytes needed, 2 left", std::string("\x0a\x05zz")},
      {"SentencePiece model: field 1 has wire type 3", std::string("\x0b")},
      {"SentencePiece model: field number 0", std::string("\x02\x01z")},
      {"a number of more than ten bytes", std::string("\x08") + std::string(12, '\x81')},
      {"piece 0 is no message", std::string("\x08\x01")},
  };
  for (const auto& broken : cases) {
    CAPTURE(broken.first);
    const std::string error = error_of(broken.second);
    CAPTURE(error);
    CHECK(error.find(broken.first) != std::string::npos);
  }
}

TEST_CASE("a model that is cut anywhere is an error or a smaller model, never a crash") {
  const std::string file = kFirst + piece("a", 0, kNormal) + trainer() +
                           normaliser(table_of_a(0, std::string("b\0", 2)));
  int errors = 0;
  for (std::size_t size = 0; size < file.size(); ++size) {
    errors += error_of(file.substr(0, size)) != "no error";
  }
  CHECK(errors > static_cast<int>(file.size()) - 40);
}

TEST_CASE("SentencePiece's files are told from llama2.c's by their bytes") {
  CHECK(looks_like_sentencepiece({"x.bin", as_bytes(kFirst)}));
  CHECK_FALSE(looks_like_sentencepiece(
      {"x.bin", as_bytes(std::string("\x0a\0\0\0", 4) + std::string(8, '\x0a'))}));
  CHECK(looks_like_sentencepiece({"x.model", as_bytes("anything")}));
}
