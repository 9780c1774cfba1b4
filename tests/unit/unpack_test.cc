// The model inside a finished .sb3: everything reads back, and broken files are refused with the
// file's name, never with a crash.
#include "unpack/unpack.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "lower/lower.h"
#include "sb3/sb3.h"
#include "support/built_models.h"
#include "support/random_model.h"
#include "support/tokenizer_lines.h"

namespace {

using namespace sb3lm;
using namespace sb3lm::test;
using nlohmann::json;

const BuiltModel& built() {
  static const BuiltModel model = build_tiny("tiny-moe", "", 24);
  return model;
}

// A fresh program to damage.
scratch::Program program_of(const BuiltModel& model) {
  return read_sb3("broken.sb3", as_bytes(model.sb3));
}

scratch::List& list_of(scratch::Program& program, const std::string& name) {
  for (scratch::Target& target : program.targets) {
    for (scratch::List& list : target.lists) {
      if (list.name == name) return list;
    }
  }
  throw std::runtime_error("no list " + name);
}

std::string& text_of(scratch::Program& program, const std::string& list, std::size_t item) {
  return std::get<std::string>(list_of(program, list).items.at(item));
}

struct Refusal {
  Fault fault = Fault::bug;
  std::string text;
};

// What unpack says to the program after `damage`.
template <class Damage>
Refusal refusal(const BuiltModel& model, Damage damage) {
  scratch::Program program = program_of(model);
  damage(program);
  try {
    unpack("broken.sb3", program);
  } catch (const Error& error) {
    return {error.fault, error.what()};
  }
  return {Fault::bug, "nothing was thrown"};
}

// The same after a change of the model info's JSON.
template <class Change>
Refusal refusal_of_info(Change change) {
  return refusal(built(), [&](scratch::Program& program) {
    std::string& text = text_of(program, "model info", 0);
    json info = json::parse(text);
    change(info);
    text = info.dump();
  });
}

void check_refused(const Refusal& refused, const std::string& part) {
  CHECK(refused.fault == Fault::bad_input);
  CHECK(refused.text.starts_with("broken.sb3: "));
  CHECK_MESSAGE(refused.text.find(part) != std::string::npos, refused.text);
}

void check_same_tokenizer(const Tokenizer& a, const Tokenizer& b) {
  CHECK(a.kind == b.kind);
  REQUIRE(a.tokens.size() == b.tokens.size());
  for (std::size_t id = 0; id < a.tokens.size(); ++id) {
    CAPTURE(id);
    CHECK(a.tokens[id].text == b.tokens[id].text);
    CHECK(a.tokens[id].type == b.tokens[id].type);
  }
  CHECK(a.merges.size() == b.merges.size());
  for (const auto& [symbol, id] : a.alphabet) {
    CAPTURE(symbol);
    CHECK(b.alphabet.contains(symbol));
    if (b.alphabet.contains(symbol)) CHECK(b.alphabet.at(symbol) == id);
  }
  CHECK(a.alphabet.size() == b.alphabet.size());
  CHECK(a.byte_token == b.byte_token);
  CHECK(a.unknown == b.unknown);
  CHECK(a.split == b.split);
  CHECK(a.prefix_space == b.prefix_space);
  CHECK(a.prefix_unless_space == b.prefix_unless_space);
  CHECK(a.prefix_only_at_start == b.prefix_only_at_start);
  CHECK(a.strip_leading_space == b.strip_leading_space);
  CHECK(a.strip_each_space == b.strip_each_space);
  CHECK(a.fuse_unknown == b.fuse_unknown);
  CHECK(a.whole == b.whole);
  CHECK(a.undone == b.undone);
  CHECK(a.bos == b.bos);
  CHECK(a.add_bos == b.add_bos);
  CHECK(a.stop_ids == b.stop_ids);
  for (const char* text : {"", " ", "the little girl", "A  b\nc\xC3\xA9 \xF0\x9F\x98\x80 \b!"}) {
    CHECK(encode(a, text, true) == encode(b, text, true));
  }
}

void check_same_template(const std::vector<TemplatePart>& a, const std::vector<TemplatePart>& b) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].kind == b[i].kind);
    CHECK(a[i].token == b[i].token);
    CHECK(a[i].text == b[i].text);
  }
}

void check_same_tensors(const Model& a, const Model& b) {
  REQUIRE(a.tensors.size() == b.tensors.size());
  for (const auto& [key, tensor] : a.tensors) {
    CAPTURE(tensor_key_text(key));
    const Tensor& other = b.at(key);
    REQUIRE(shape_of(tensor) == shape_of(other));
    REQUIRE(tensor.index() == other.index());
    if (const auto* coded = std::get_if<CodedTensor>(&tensor)) {
      CHECK(coded->format == std::get<CodedTensor>(other).format);
      CHECK(coded->codes == std::get<CodedTensor>(other).codes);
      CHECK(coded->row_scale == std::get<CodedTensor>(other).row_scale);
    } else {
      CHECK(std::get<FloatTensor>(tensor).type == std::get<FloatTensor>(other).type);
      CHECK(std::get<FloatTensor>(tensor).values == std::get<FloatTensor>(other).values);
    }
  }
}

}  // namespace

TEST_CASE("everything about a model reads back") {
  for (const BuiltModel& model : build_all_tiny()) {
    CAPTURE(model.name);
    const Model& a = model.model;
    const Unpacked unpacked = unpack(model.name, program_of(model));
    const Model& b = unpacked.model;
    CHECK(unpacked.version == "test");
    CHECK(unpacked.context == 40);
    CHECK(a.spec.family == b.spec.family);
    CHECK(a.spec.width == b.spec.width);
    CHECK(a.spec.vocabulary == b.spec.vocabulary);
    CHECK(a.spec.context == b.spec.context);
    CHECK(a.spec.norm_eps == b.spec.norm_eps);
    CHECK(a.spec.tied_head == b.spec.tied_head);
    CHECK(a.spec.layers == b.spec.layers);
    CHECK(a.spec.passes == b.spec.passes);
    CHECK(a.names == b.names);
    CHECK(a.conventions == b.conventions);
    CHECK(a.temperature == b.temperature);
    CHECK(a.top_k == b.top_k);
    CHECK(a.top_p == b.top_p);
    CHECK(a.repetition_penalty == b.repetition_penalty);
    CHECK(a.licence == b.licence);
    CHECK(a.source.format == b.source.format);
    CHECK(a.source.metadata == b.source.metadata);
    REQUIRE(a.source.tensors.size() == b.source.tensors.size());
    for (std::size_t i = 0; i < a.source.tensors.size(); ++i) {
      CHECK(a.source.tensors[i].name == b.source.tensors[i].name);
      CHECK(a.source.tensors[i].type == b.source.tensors[i].type);
      CHECK(a.source.tensors[i].shape == b.source.tensors[i].shape);
    }
    check_same_tensors(a, b);
    check_same_tokenizer(a.tokenizer, b.tokenizer);
    check_same_template(a.chat.first, b.chat.first);
    check_same_template(a.chat.next, b.chat.next);
    CHECK(a.chat.stop_ids == b.chat.stop_ids);
  }
}

TEST_CASE("SentencePiece's tokenizers read back") {
  const std::vector<std::string> lines = tokenizer_lines(SB3LM_SOURCE_DIR);
  for (const char* name : {"llama", "whole", "rules", "unused"}) {
    CAPTURE(name);
    const bool unused = name == std::string("unused");
    Tokenizer tokenizer = sentencepiece_fixture(SB3LM_SOURCE_DIR, unused ? "llama" : name);
    for (const Merge& merge : tokenizer.merges) {
      Token& token = tokenizer.tokens[static_cast<std::size_t>(merge.result)];
      if (!unused || token.text.size() != 2 || merge.result % 3 != 0) continue;
      token.type = TokenType::unused;
      tokenizer.undone[merge.result] = {merge.left, merge.right};
    }
    ModelSpec spec = built().model.spec;
    spec.vocabulary = static_cast<int>(tokenizer.tokens.size());
    Model model = random_model(spec, {4}, 3);
    model.tokenizer = tokenizer;
    SilentProgress silent;
    const std::string sb3 = write_sb3(lower(model, {.context = 24, .encoding = "hex"}), 6, silent);
    const Tokenizer back = unpack("x", read_sb3("x", as_bytes(sb3))).model.tokenizer;
    check_same_tokenizer(tokenizer, back);
    CHECK(back.rules.present);
    CHECK(back.rules.collapse_spaces == tokenizer.rules.collapse_spaces);
    CHECK(back.rules.hangul == tokenizer.rules.hangul);
    CHECK(back.rules.letters == tokenizer.rules.letters);
    CHECK(back.rules.pairs.size() == tokenizer.rules.pairs.size());
    for (const std::string& line : lines) {
      const std::vector<int> ids = encode(tokenizer, line, true);
      CHECK(encode(back, line, true) == ids);
      CHECK(decode(back, ids) == decode(tokenizer, ids));
    }
  }
}

TEST_CASE("not one of ours") {
  check_refused(
      refusal(built(),
              [](scratch::Program& program) { list_of(program, "model info").name = "other"; }),
      "not made by sb3lm");
  check_refused(
      refusal(built(),
              [](scratch::Program& program) { list_of(program, "model info").items.clear(); }),
      "model info");
  check_refused(refusal(built(),
                        [](scratch::Program& program) {
                          text_of(program, "model info", 0) = "{\"format\": 1,";
                        }),
                "model info: JSON: parse error");
  check_refused(refusal_of_info([](json& info) { info = json::array(); }),
                "model info: not a JSON object");
}

TEST_CASE("another format is unsupported, not broken") {
  const Refusal refused = refusal_of_info([](json& info) { info["format"] = 4; });
  CHECK(refused.fault == Fault::unsupported);
  CHECK(refused.text.find("format 4, this program reads 3") != std::string::npos);
}

TEST_CASE("every key of the model info that is read must be there, and of the right type") {
  const json whole = json::parse([] {
    scratch::Program program = program_of(built());
    return text_of(program, "model info", 0);
  }());
  for (const auto& [key, value] : whole.items()) {
    CAPTURE(key);
    const std::string name = key;
    if (name == "codes" || name == "scales") continue;  // sizes, for people
    check_refused(refusal_of_info([&](json& info) { info.erase(name); }), "model info");
    if (key == "tokenizer") continue;  // null: there is none
    const Refusal refused = refusal_of_info([&](json& info) { info[name] = nullptr; });
    CHECK(refused.text != "nothing was thrown");
  }
}

TEST_CASE("tensors that contradict the description") {
  check_refused(refusal_of_info([](json& info) { info["tensors"].erase(3); }), "missing");
  check_refused(refusal_of_info([](json& info) { info["tensors"][0]["of"] = {1, 2}; }), "missing");
  check_refused(refusal_of_info([](json& info) { info["spec"]["width"] = 65; }), "");
  check_refused(refusal_of_info([](json& info) { info["tensors"][0]["bits"] = 9; }), "9 bits");
  check_refused(refusal_of_info([](json& info) { info["tensors"][0]["role"] = "nose"; }), "");
  check_refused(refusal_of_info([](json& info) { info["tensors"][0]["encoding"] = "hex"; }),
                "no text of 3 bits in hex");
  check_refused(refusal_of_info([](json& info) { info["tensors"][0]["base"] = 1 << 20; }),
                "has no 16 bits");
  check_refused(refusal_of_info([](json& info) { info["spec"]["passes"] = {0, 1, 7}; }), "");
}

TEST_CASE("texts that are not there, or too short") {
  for (const std::int64_t item : {-1, 0, 1000}) {
    CAPTURE(item);
    check_refused(refusal_of_info([&](json& info) { info["texts"]["codes"][0]["item"] = item; }),
                  "item");
    check_refused(refusal_of_info([&](json& info) { info["texts"]["numbers"]["scales"] = item; }),
                  "item");
  }
  check_refused(refusal_of_info([](json& info) { info["texts"]["numbers"].erase("vectors"); }), "");
  // The norms' text is shorter than the row scales'.
  check_refused(refusal_of_info([](json& info) {
                  json& numbers = info["texts"]["numbers"];
                  numbers["scales"] = numbers["vectors"];
                }),
                "letter");
}

TEST_CASE("names of tensors") {
  check_refused(refusal_of_info([](json& info) { info["names"]["steps"].erase(0); }), "name");
  check_refused(refusal_of_info([](json& info) { info["names"]["steps"] = {0, 0}; }), "names");
  check_refused(refusal_of_info([](json& info) { info["names"]["steps"][0] = -1; }), "pattern -1");
  check_refused(refusal_of_info([](json& info) { info["source"]["tensors"]["patterns"][0] = "["; }),
                "");
}

TEST_CASE("damaged weight text") {
  const auto damage = [](auto change) {
    return refusal(built(),
                   [&](scratch::Program& program) { change(text_of(program, "_text", 0)); });
  };
  CHECK(damage([](std::string& text) { text[5] = '!'; }).text.find("letter '!'") !=
        std::string::npos);
  CHECK(damage([](std::string& text) { text.resize(text.size() / 2); }).fault == Fault::bad_input);
  CHECK(damage([](std::string& text) { text.pop_back(); }).text.find("codebook of 8 codes: 63") !=
        std::string::npos);
}

TEST_CASE("preloaded floats") {
  const BuiltModel floats = build_tiny("tiny-dense", "float", 24);
  check_refused(
      refusal(floats,
              [](scratch::Program& program) { list_of(program, "_scales").items.resize(100); }),
      "list '_scales' is too short");
  check_refused(refusal(floats,
                        [](scratch::Program& program) {
                          list_of(program, "_scales").items[7] = std::string("seven");
                        }),
                "a weight is no number");
}
