// The tokenizer in blocks against the native one: one project per tokenizer, which encodes texts
// and prints tokens when its flag is clicked, in the block evaluator, scratch-vm and TurboWarp.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <random>

#include "import/import.h"
#include "kernels/text_tables.h"
#include "model/unicode.h"
#include "support/text_project.h"
#include "support/tokenizers.h"

namespace {

using namespace sb3lm;
using namespace sb3lm::test;

std::vector<std::string> tricky_texts() {
  return {"",
          " ",
          "a",
          "A",
          "aAaAbB",
          "the THE The tHE",
          "7",
          "0123456789",
          "-1 1e5 0x10 Infinity NaN .5",
          "  leading and trailing  ",
          "\n",
          "line\nline\n\nline \n end\n",
          "tab\tand\r\nreturn \t x",
          "I'll you're we've she'd it's don't I'm 'twas 'S 'LL rock'n'roll '''s' 'x 'l 're",
          "a  b   c    d",
          "x !? x!?  !? 12ab34 12 ab",
          "unknown letter",
          "next costume",
          "caf\u00e9 Caf\u00c9 cafe\u0301 na\u00efve \u00df\u1e9e",
          "\u2014\u2018\u2019\u201c\u201d\u2026\u20ac\u2122 a\u00a0b \u2003c",
          "\u0416\u0443\u043a \u4e2d\u6587 \uff17 \u3000 \ufeff5 \ufffd \ud7ff \ue000",
          "\U0001F600 \U0001F600\U0001F600 smile \U0001F680 \U0001F468\u200d\U0001F469 x",
          std::string(300, 'a'),
          std::string(40, ' ') + "x" + std::string(40, '!'),
          kCorpus};
}

std::vector<std::string> random_texts(std::uint32_t seed) {
  const std::vector<std::string> parts = {
      "the",    " ",   " ",   "  ",  "little", "Girl",   "\n",         "1",      "23",
      "'ll",    "'s",  "!",   ",",   ".",      "e",      "t",          "T",      "\u00e9",
      "\u2014", "end", "a",   "o",   "n",      "\t",     "\U0001F600", "\u4e2d", "\U0001F680",
      "d",      "lit", "tle", " th", "e ",     "\u00a0", "(",          "?\""};
  std::mt19937 random(seed);
  std::vector<std::string> texts(40);
  for (std::string& text : texts) {
    for (std::size_t n = random() % 40; n > 0; --n) text += parts[random() % parts.size()];
  }
  return texts;
}

// Lines as people and odd sources write them: words in any case, numbers, accents, emoji that are
// known and that are not, other scripts, single letters from everywhere, runs of one letter.
std::vector<std::string> corpus_lines(std::size_t count) {
  constexpr std::pair<char32_t, char32_t> kPlaces[] = {
      {0x20, 0x7E},        {0xA0, 0xFF},       {0x100, 0x17F},     {0x180, 0x24F},
      {0x300, 0x36F},      {0x370, 0x3FF},     {0x400, 0x4FF},     {0x5D0, 0x6FF},
      {0x2000, 0x206F},    {0x20A0, 0x22FF},   {0x2500, 0x27BF},   {0x3040, 0x30FF},
      {0x4E00, 0x4EFF},    {0xAC00, 0xACFF},   {0xE000, 0xE0FF},   {0xFE00, 0xFEFF},
      {0xFF00, 0xFFFF},    {0x1D400, 0x1D4FF}, {0x1F300, 0x1F6FF}, {0x1F900, 0x1F9FF},
      {0x10FF00, 0x10FFFF}};
  const std::vector<std::string> words = {"the",
                                          "little",
                                          "girl",
                                          "said",
                                          "don't",
                                          "I'll",
                                          "NASA",
                                          "e.g.",
                                          "1,234.5",
                                          "-7e3",
                                          "caf\u00e9",
                                          "\u0141\u00f3d\u017a",
                                          "\u0130zmir",
                                          "na\u00efve",
                                          "\u201cyes\u201d",
                                          "\u2014",
                                          "\u2026",
                                          "x",
                                          "\U0001F600",
                                          "\u2764\ufe0f",
                                          "\U0001F469\u200d\U0001F680",
                                          "\u65e5\u672c",
                                          "\u041c\u0438\u0440",
                                          "  ",
                                          "\t",
                                          "'s",
                                          "!?"};
  std::mt19937 random(2026);
  const auto below = [&](std::size_t limit) { return random() % limit; };
  std::vector<std::string> lines(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::string& line = lines[i];
    for (std::size_t n = below(14); n > 0; --n) {
      if (i % 3 == 0) {
        const auto [first, last] = kPlaces[below(std::size(kPlaces))];
        line += utf8(first + static_cast<char32_t>(below(last - first + 1)));
        continue;
      }
      std::string word = words[below(words.size())];
      if (below(6) == 0) {
        for (char& c : word) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
      }
      line += word + (below(5) == 0 ? "" : " ");
    }
    if (i % 50 == 7) line += std::string(1 + below(90), static_cast<char>('a' + below(26)));
  }
  return lines;
}

Tokenizer dictionary_cat_tokenizer() {
  SilentProgress silent;
  return import_model(SB3LM_SOURCE_DIR "/samples/dictionary-cat/model.safetensors", {}, silent)
      .tokenizer;
}

// Every letter below U+10000 but controls, and some beyond, in lines of 64.
std::vector<std::string> all_letters() {
  std::vector<std::string> lines;
  for (char32_t c = 0x20; c < 0x41000; c += c < 0x10000 ? 1 : 97) {
    if ((c >= 0x7F && c < 0xA0) || (c >= 0xD800 && c < 0xE000)) continue;
    if (lines.empty() || c % 64 == 0) lines.emplace_back();
    lines.back() += utf8(c);
  }
  return lines;
}

// The bytes of every eighth line, of which blocks make its letters.
std::vector<std::vector<int>> as_bytes(const Tokenizer& tokenizer,
                                       const std::vector<std::string>& lines) {
  std::vector<std::vector<int>> samples;
  for (std::size_t i = 0; i < lines.size(); i += 8) {
    std::vector<int>& ids = samples.emplace_back();
    for (const char c : lines[i])
      ids.push_back(tokenizer.byte_token[static_cast<unsigned char>(c)]);
  }
  return samples;
}

constexpr std::size_t kCorpusLines = 2200, kLinesInVm = 120;

std::vector<TextCase> make_cases(std::size_t corpus) {
  std::vector<TextCase> cases;
  cases.push_back({"uncut", uncut_tokenizer(), tricky_texts(), {}});
  cases.push_back({"cuttable", cuttable_tokenizer(), tricky_texts(), {}});
  cases.push_back({"words", word_tokenizer(), tricky_texts(), {}});
  cases.push_back({"bytes", byte_tokenizer(), tricky_texts(), {}});
  cases.push_back({"dictionary cat", dictionary_cat_tokenizer(), tricky_texts(), {}});
  cases.push_back({"paired bytes", paired_byte_tokenizer(), tricky_texts(), {}});
  cases.push_back({.name = "small letters",
                   .tokenizer = dictionary_cat_tokenizer(),
                   .texts = tricky_texts(),
                   .lowers = true});
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto seed = static_cast<std::uint32_t>(i);
    for (std::string& text : random_texts(seed)) cases[i].texts.push_back(std::move(text));
    for (std::string& text : corpus_lines(corpus)) cases[i].texts.push_back(std::move(text));
    cases[i].samples = token_samples(cases[i].tokenizer, seed);
  }
  const std::vector<std::string> all = all_letters();
  const Tokenizer bytes = paired_byte_tokenizer();
  cases.push_back({"all letters", uncut_tokenizer(), all, {}, LetterLevel::usual});
  cases.push_back({"all letters, more", bytes, all, as_bytes(bytes, all), LetterLevel::more});
  return cases;
}

}  // namespace

TEST_CASE("cuts and merge lists take the forms that the cases are meant for") {
  using Result = MergeLists::Result;
  CHECK(piece_cut(uncut_tokenizer()) == Cut::none);
  CHECK(piece_cut(cuttable_tokenizer()) == Cut::space_after_letter);
  CHECK(piece_cut(word_tokenizer()) == Cut::every_space);
  CHECK(piece_cut(byte_tokenizer()) == Cut::gpt2);
  CHECK(merge_lists(uncut_tokenizer()).kind == Result::by_merge);
  CHECK(merge_lists(cuttable_tokenizer()).kind == Result::is_rank);
  CHECK(merge_lists(byte_tokenizer()).kind == Result::by_rank);
  CHECK(!merge_pairs(uncut_tokenizer()));
  CHECK(merge_pairs(word_tokenizer()));
  CHECK(merge_pairs(paired_byte_tokenizer()));
}

TEST_CASE("letters are those of scripts in use, and what the vocabulary spells in fewer tokens") {
  Tokenizer tokenizer = word_tokenizer();
  const TypedLetters usual = typed_letters(tokenizer, LetterLevel::usual);
  for (const char32_t c : {U'\n', U'a', U'A', U'\u0416', U'\u03B1', U'\u05D0', U'\U0001F9E0'}) {
    CHECK(usual.has(c));
  }
  for (const char32_t c : {U'\b', U'\u4E00', U'\uAC00', U'\uFFFF', U'\U00100000'}) {
    CHECK_FALSE(usual.has(c));
  }
  CHECK(as_blocks_see(usual, "a\u4E00b") == "a\ufffdb");
  const TypedLetters more = typed_letters(tokenizer, LetterLevel::more);
  CHECK(more.has(0x4E00));
  CHECK(describe(usual).starts_with("Latin, punctuation, Greek, Cyrillic, "));
  CHECK(describe(usual).find("Hangul") == std::string::npos);
  CHECK(describe(more).find("Hangul") != std::string::npos);

  const auto add = [&](char32_t c) {
    tokenizer.alphabet[utf8(c)] = static_cast<int>(tokenizer.tokens.size());
    tokenizer.tokens.push_back({utf8(c)});
  };
  add(0x4E00);
  TypedLetters own = typed_letters(tokenizer, LetterLevel::few);
  CHECK(own.has(0x4E00));
  CHECK_FALSE(own.has(0x4E01));
  for (char32_t c = 0x4E01; c < 0x5E00; ++c) add(c);
  own = typed_letters(tokenizer, LetterLevel::few);
  CHECK(own.has(0x9FFF));
}

TEST_CASE("whatever Scratch takes for a known small letter is a known capital") {
  for (const LetterLevel level : {LetterLevel::few, LetterLevel::usual, LetterLevel::more}) {
    const TypedLetters letters = typed_letters(word_tokenizer(), level);
    for (char32_t c = 0; c < 0x10000; ++c) {
      const char32_t small = lower_case(c);
      if (small != c && letters.has(small)) CHECK(letters.has(c));
    }
  }
}

TEST_CASE("block evaluator: ids and texts equal the native tokenizer's, and can be saved") {
  for (const TextCase& test : make_cases(kCorpusLines)) {
    check_in_evaluator(test);
  }
}

TEST_CASE("scratch-vm: ids and texts equal the native tokenizer's") {
  check_in_vm(SB3LM_SOURCE_DIR, make_cases(kLinesInVm), "scratch");
}

TEST_CASE("TurboWarp: ids and texts equal the native tokenizer's") {
  check_in_vm(SB3LM_SOURCE_DIR, make_cases(kLinesInVm), "turbowarp");
}
