#include "support/text_project.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "base/error.h"
#include "base/file.h"
#include "kernels/letter_tables.h"
#include "kernels/text.h"
#include "lower/model_info.h"
#include "model/unicode.h"
#include "runtime_ref/block_eval.h"
#include "sb3/sb3.h"
#include "sb3/zip.h"
#include "scratch/check_types.h"
#include "support/saved_text.h"
#include "support/skip.h"
#include "unpack/read_tokenizer.h"

namespace sb3lm::test {

using namespace sb3lm::blocks;
using scratch::Scalar;

namespace {

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

constexpr int kEnd = 2;  // letters of Scratch that stay as they are when a case `lowers`

std::string lowered(const std::string& text) {
  const std::vector<TextChar> chars = text_chars(text);
  const auto size = [](const TextChar& c) { return c.value < 0x10000 ? 1 : 2; };
  int last = -kEnd, at = 0;
  for (const TextChar& c : chars) last += size(c);
  std::string made;
  for (const TextChar& c : chars) {
    const bool inside = at >= kEnd && at < last;
    made += inside ? small_letters(utf8(c.value)) : utf8(c.value);
    at += size(c);
  }
  return made;
}

Results expected_results(const TextCase& test) {
  Results results;
  const TypedLetters letters = typed_letters(test.tokenizer, test.level);
  for (const std::string& text : test.texts) {
    const std::string seen = as_blocks_see(letters, test.lowers ? lowered(text) : text);
    for (int id : encode(test.tokenizer, seen, false)) {
      results.ids.push_back(id);
    }
    results.ends.push_back(static_cast<double>(results.ids.size()));
  }
  for (const std::vector<int>& ids : test.samples) {
    results.printed.push_back(printed_letters(letters, repaired(decode(test.tokenizer, ids))));
  }
  return results;
}

std::vector<Scalar> sample_items(const TextCase& test) {
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

void lower_middle(Script& s, const LetterSpan& span, Expr<Str> text) {
  s.set(span.before, kEnd);
  s.set(span.last, length(std::move(text)) - kEnd);
}

void fill_again(Script& s, const TokenTableBlocks& tables) {
  for (const auto& step : {tables.fill, tables.empty, tables.fill}) s.call(step);
}

scratch::Program make_project(const TextCase& test) {
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
  const auto tokenize = emit_tokenize(engine, test.tokenizer, letters, ids, test.lowers);
  const auto detokenize = emit_detokenize(engine, test.tokenizer, letters, text);
  const auto encode_all = engine.define<>("encode all", {}, [&](Script& s) {
    s.set(at, 1);
    s.repeat(texts.length(), [&](Script& s) {
      s.clear(ids);
      if (tokenize.lowered) lower_middle(s, *tokenize.lowered, texts[at + 0]);
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
    if (tables) fill_again(s, *tables);
    s.call(encode_all);
    s.call(print_all);
    s.set(status, "ready");
  });
  return program;
}

/// What unpack makes of the lists must be the same tokenizer.
void check_read_back(const TextCase& test, const scratch::Program& program) {
  const auto info = nlohmann::json::parse(write_tokenizer_info(test.tokenizer));
  const Tokenizer back = read_tokenizer(test.name, program, info);
  CAPTURE(test.name);
  for (const std::string& text : test.texts) {
    CAPTURE(text);
    CHECK(encode(back, text, true) == encode(test.tokenizer, text, true));
  }
  for (const std::vector<int>& ids : test.samples) {
    CHECK(decode(back, ids) == decode(test.tokenizer, ids));
  }
}

void check_results(const TextCase& test, const Results& got) {
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

std::string project_bytes(const TextCase& test) {
  SilentProgress progress;
  const scratch::Program program = make_project(test);
  for (const std::string& index : unknown_indexes(program, {})) FAIL_CHECK(index);
  return write_sb3(program, 6, progress);
}

}  // namespace

std::vector<std::vector<int>> token_samples(const Tokenizer& tokenizer, std::uint32_t seed) {
  std::mt19937 random(seed);
  const int end = encode(tokenizer, "!", false).back();
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

void check_in_evaluator(const TextCase& test) {
  const std::string bytes = project_bytes(test);
  const Bytes view{reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
  CHECK(can_be_saved(unescaped_json(read_zip(test.name, view).at("project.json"))));
  scratch::Program program = read_sb3(test.name, view);
  check_read_back(test, program);
  BlockEvaluator evaluator(std::move(program));
  evaluator.green_flag();
  REQUIRE(evaluator.run_until([&] { return evaluator.text("status") == "ready"; }, 100'000));
  Results got{evaluator.list_numbers("all ids"), evaluator.list_numbers("ends"), {}};
  for (std::size_t i = 0; i < evaluator.list_size("printed"); ++i) {
    got.printed.push_back(std::get<std::string>(evaluator.list_item("printed", i)));
    CHECK(can_be_saved(got.printed.back()));
  }
  check_results(test, got);
}

void check_in_vm(const std::string& source, const std::vector<TextCase>& cases,
                 const std::string& vm) {
  check(!cases.empty(), "no tokenizers to try");
  const auto folder =
      std::filesystem::temp_directory_path() / ("sb3lm-text-" + vm + "-" + cases[0].name);
  std::filesystem::create_directories(folder);
  nlohmann::json jobs = nlohmann::json::array();
  for (const TextCase& test : cases) {
    const std::string file = (folder / (test.name + ".sb3")).string();
    write_file(file, project_bytes(test));
    jobs.push_back({{"file", file},
                    {"request", {{"raw", true}, {"read_lists", {"all ids", "ends", "printed"}}}}});
  }
  write_file(folder / "jobs.json", nlohmann::json{{"jobs", jobs}}.dump());
  const std::string command =
      fmt::format("node '{}/tools/vm/run.mjs' --vm {} --batch '{}' > '{}'", source, vm,
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

}  // namespace sb3lm::test
