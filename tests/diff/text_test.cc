// The tokenizer in blocks against the native one: one project per tokenizer, which encodes texts
// and prints tokens when its flag is clicked, in the block evaluator, scratch-vm and TurboWarp.
#include "kernels/text.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "base/file.h"
#include "import/import.h"
#include "kernels/letter_tables.h"
#include "kernels/text_tables.h"
#include "model/unicode.h"
#include "runtime_ref/block_eval.h"
#include "sb3/sb3.h"
#include "sb3/zip.h"
#include "scratch/check_types.h"
#include "support/saved_text.h"
#include "support/skip.h"
#include "support/tokenizers.h"

namespace {

using namespace sb3lm;
using namespace sb3lm::test;
using namespace sb3lm::blocks;
using scratch::Scalar;

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

// Token sequences, each ended by a token that shows what waits for its last byte.
std::vector<std::vector<int>> token_samples(const Tokenizer& tokenizer, std::uint32_t seed) {
  std::mt19937 random(seed);
  const int end = tokenizer.byte_token['!'];
  std::vector<std::vector<int>> samples;
  for (const char* text : {" Hello the end", "caf\u00e9 \u20ac\U0001F600 \U0001F680 ok", "  x"}) {
    samples.push_back(encode(tokenizer, text, false));
  }
  for (int i = 0; i < 40; ++i) {
    std::vector<int> ids;
    for (std::size_t n = random() % 30; n > 0; --n) {
      const bool high_byte = random() % 2 == 0;
      const int byte = tokenizer.byte_token[128 + random() % 128];
      const auto any = static_cast<int>(random() % tokenizer.tokens.size());
      ids.push_back(high_byte && byte >= 0 ? byte : any);
    }
    samples.push_back(std::move(ids));
  }
  for (std::vector<int>& ids : samples) ids.push_back(end);
  return samples;
}

// What a browser shows of bytes that may be broken: each maximal part of a broken sequence is one
// U+FFFD (the Unicode standard, section 3.9).
std::string repaired(std::string_view bytes) {
  std::string text;
  std::vector<char32_t> one;
  for (std::size_t at = 0; at < bytes.size();) {
    std::size_t size = 4;
    while (size > 0 && !(at + size <= bytes.size() && decode_utf8(bytes.substr(at, size), one) &&
                         one.size() == 1)) {
      --size;
    }
    if (size > 0) {
      text += bytes.substr(at, size);
      at += size;
      continue;
    }
    text += utf8(kReplacement);
    const auto begins_letter = [&](std::size_t length) {
      for (const char* tail : {"\x80", "\x90", "\xA0", "\x8F", "\x80\x80", "\x90\x80", "\xA0\x80",
                               "\x80\x80\x80", "\x90\x80\x80"}) {
        if (decode_utf8(std::string(bytes.substr(at, length)) + tail, one) && one.size() == 1) {
          return true;
        }
      }
      return false;
    };
    size = 1;
    while (at + size < bytes.size() && size < 3 && begins_letter(size + 1)) ++size;
    at += size;
  }
  return text;
}

Tokenizer dictionary_cat_tokenizer() {
  SilentProgress silent;
  return import_model(SB3LM_SOURCE_DIR "/samples/dictionary-cat/model.safetensors", {}, silent)
      .tokenizer;
}

struct Case {
  const char* name;
  Tokenizer tokenizer;
  std::vector<std::string> texts;
  std::vector<std::vector<int>> samples;
  LetterLevel level = LetterLevel::usual;
};

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

std::vector<Case> make_cases(std::size_t corpus) {
  std::vector<Case> cases;
  cases.push_back({"uncut", uncut_tokenizer(), tricky_texts(), {}});
  cases.push_back({"cuttable", cuttable_tokenizer(), tricky_texts(), {}});
  cases.push_back({"words", word_tokenizer(), tricky_texts(), {}});
  cases.push_back({"bytes", byte_tokenizer(), tricky_texts(), {}});
  cases.push_back({"dictionary cat", dictionary_cat_tokenizer(), tricky_texts(), {}});
  cases.push_back({"paired bytes", paired_byte_tokenizer(), tricky_texts(), {}});
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

struct Results {
  std::vector<double> ids, ends;  // of all texts; where each one's ids end
  std::vector<std::string> printed;
};

// Letters that blocks have to assemble from bytes are those of the table; one byte is a token,
// unless it is a control character.
std::string printed_letters(TypedLetters letters, const std::string& text) {
  for (char32_t c = ' '; c < 0x7F; ++c) letters.small.push_back(c);
  std::sort(letters.small.begin(), letters.small.end());
  return as_blocks_see(letters, text);
}

Results expected_results(const Case& test) {
  Results results;
  const TypedLetters letters = typed_letters(test.tokenizer, test.level);
  for (const std::string& text : test.texts) {
    for (int id : encode(test.tokenizer, as_blocks_see(letters, text), false)) {
      results.ids.push_back(id);
    }
    results.ends.push_back(static_cast<double>(results.ids.size()));
  }
  for (const std::vector<int>& ids : test.samples) {
    results.printed.push_back(printed_letters(letters, repaired(decode(test.tokenizer, ids))));
  }
  return results;
}

std::vector<Scalar> sample_items(const Case& test) {
  std::vector<Scalar> items;
  for (const std::vector<int>& ids : test.samples) {
    for (int id : ids) items.emplace_back(static_cast<double>(id));
    items.emplace_back(-1.0);
  }
  return items;
}

scratch::Program stage_and_engine() {
  scratch::Program program;
  program.targets.resize(2);
  program.targets[0].name = "Stage";
  program.targets[0].is_stage = true;
  program.targets[0].costumes.push_back({"backdrop", "letter.svg"});
  program.targets[1].name = "engine";
  program.targets[1].visible = false;
  return program;
}

scratch::Program make_project(const Case& test) {
  scratch::Program program = stage_and_engine();
  Sprite stage(program, 0), engine(program, 1);
  const auto status = stage.var<Str>("status", "");
  const auto all_ids = stage.list<Num>("all ids"), ends = stage.list<Num>("ends");
  const auto printed = stage.list<Str>("printed");
  const auto texts = stage.list<Str>("texts", {test.texts.begin(), test.texts.end()});
  const auto samples = stage.list<Num>("samples", sample_items(test));
  const auto ids = engine.list<Num>("ids");
  const auto at = engine.var<Num>("at"), k = engine.var<Num>("k");
  const auto text = engine.var<Str>("text", "");
  const auto tables = emit_token_tables(engine, test.tokenizer);
  const TypedLetters letters = typed_letters(test.tokenizer, test.level);
  const auto tokenize = emit_tokenize(engine, test.tokenizer, letters, ids);
  const auto detokenize = emit_detokenize(engine, test.tokenizer, letters, text);
  const auto encode_all = engine.define<>("encode all", {}, [&](Script& s) {
    s.set(at, 1);
    s.repeat(texts.length(), [&](Script& s) {
      s.clear(ids);
      s.call(tokenize.encode, texts[at + 0]);
      s.set(k, 1);
      s.repeat(ids.length(), [&](Script& s) {
        s.append(all_ids, ids[k]);
        s.change(k, 1);
      });
      s.append(ends, all_ids.length());
      s.change(at, 1);
    });
  });
  const auto begin_sample = [&](Script& s) {
    s.set(text, "");
    s.call(detokenize.begin);
  };
  const auto print_all = engine.define<>("print all", {}, [&](Script& s) {
    begin_sample(s);
    s.set(at, 1);
    s.repeat(samples.length(), [&](Script& s) {
      s.when_else(
          samples[at + 0] < 0,
          [&](Script& s) {
            s.append(printed, text);
            begin_sample(s);
          },
          [&](Script& s) { s.call(detokenize.print, samples[at + 0]); });
      s.change(at, 1);
    });
  });
  engine.when_flag([&](Script& s) {
    s.set(status, "working");
    for (const auto* list : {&all_ids, &ends}) s.clear(*list);
    s.clear(printed);
    if (tables) {
      for (const auto& step : {tables->fill, tables->empty, tables->fill}) s.call(step);
    }
    s.call(encode_all);
    s.call(print_all);
    s.set(status, "ready");
  });
  return program;
}

void check_results(const Case& test, const Results& got) {
  const Results expected = expected_results(test);
  REQUIRE(got.ends.size() == expected.ends.size());
  const auto part = [](const Results& results, std::size_t i) {
    const auto begin = i == 0 ? 0 : static_cast<std::ptrdiff_t>(results.ends[i - 1]);
    return std::vector<double>(results.ids.begin() + begin,
                               results.ids.begin() + static_cast<std::ptrdiff_t>(results.ends[i]));
  };
  for (std::size_t i = 0; i < test.texts.size(); ++i) {
    INFO(test.name, ": text ", test.texts[i]);
    CHECK(part(got, i) == part(expected, i));
  }
  REQUIRE(got.printed.size() == expected.printed.size());
  for (std::size_t i = 0; i < got.printed.size(); ++i) {
    INFO(test.name, ": sample ", i);
    CHECK(got.printed[i] == expected.printed[i]);
  }
}

std::string project_bytes(const Case& test) {
  SilentProgress progress;
  const scratch::Program program = make_project(test);
  for (const std::string& index : unknown_indexes(program, {})) FAIL_CHECK(index);
  return write_sb3(program, 6, progress);
}

// The projects of all cases through the harness in one go; nothing if its machine is missing.
void check_in_vm(const std::string& vm) {
  const std::vector<Case> cases = make_cases(kLinesInVm);
  const auto folder = std::filesystem::temp_directory_path() / ("sb3lm-text-test-" + vm);
  std::filesystem::create_directories(folder);
  nlohmann::json jobs = nlohmann::json::array();
  for (const Case& test : cases) {
    const std::string file = (folder / (std::string(test.name) + ".sb3")).string();
    write_file(file, project_bytes(test));
    jobs.push_back({{"file", file},
                    {"request", {{"raw", true}, {"read_lists", {"all ids", "ends", "printed"}}}}});
  }
  write_file(folder / "jobs.json", nlohmann::json{{"jobs", jobs}}.dump());
  const std::string command =
      fmt::format("node '{}/tools/vm/run.mjs' --vm {} --batch '{}' > '{}'", SB3LM_SOURCE_DIR, vm,
                  (folder / "jobs.json").string(), (folder / "results.json").string());
  const int code = std::system(command.c_str()) >> 8;
  if (code == 4 || code == 127) return skip_without(vm);
  REQUIRE(code == 0);
  std::ifstream stream(folder / "results.json");
  const auto results = nlohmann::json::parse(stream);
  std::filesystem::remove_all(folder);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto& lists = results.at(i).at("lists");
    check_results(cases[i], {lists.at("all ids").get<std::vector<double>>(),
                             lists.at("ends").get<std::vector<double>>(),
                             lists.at("printed").get<std::vector<std::string>>()});
  }
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
  for (const Case& test : make_cases(kCorpusLines)) {
    const std::string bytes = project_bytes(test);
    const Bytes view{reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
    CHECK(can_be_saved(unescaped_json(read_zip(test.name, view).at("project.json"))));
    BlockEvaluator evaluator(read_sb3(test.name, view));
    evaluator.green_flag();
    REQUIRE(evaluator.run_until([&] { return evaluator.text("status") == "ready"; }, 100'000));
    Results got{evaluator.list_numbers("all ids"), evaluator.list_numbers("ends"), {}};
    for (std::size_t i = 0; i < evaluator.list_size("printed"); ++i) {
      got.printed.push_back(std::get<std::string>(evaluator.list_item("printed", i)));
      CHECK(can_be_saved(got.printed.back()));
    }
    check_results(test, got);
  }
}

TEST_CASE("scratch-vm: ids and texts equal the native tokenizer's") {
  check_in_vm("scratch");
}

TEST_CASE("TurboWarp: ids and texts equal the native tokenizer's") {
  check_in_vm("turbowarp");
}
