#include <doctest/doctest.h>

#include "base/error.h"
#include "import/formats.h"
#include "import/json.h"
#include "model/unicode.h"
#include "model/word_split.h"
#include "synth/vocabulary.h"

using namespace sb3lm;

namespace {

Tokenizer read(const std::string& text) {
  return read_tokenizer_json({"tokenizer.json", as_bytes(text)});
}

/// The error after a change to the made-up tokenizer.json; checks that it is one line.
std::string error_after(void (*edit)(Json&), bool byte_level = false) {
  Json json = Json::parse(byte_level ? byte_level_tokenizer_json(512) : spaced_tokenizer_json(512));
  edit(json);
  try {
    read(json.dump());
  } catch (const Error& problem) {
    const std::string_view text = problem.what();
    CHECK((problem.fault == Fault::bad_input || problem.fault == Fault::unsupported));
    CHECK(text.starts_with("tokenizer.json: "));
    CHECK(text.find('\n') == text.npos);
    return problem.what();
  }
  return "no error";
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> list;
  for (const std::string_view piece : split_words(WordSplit::gpt2, text)) list.emplace_back(piece);
  return list;
}

}  // namespace

TEST_CASE("a made-up tokenizer: specials, bytes, words") {
  const Tokenizer tokenizer = read(spaced_tokenizer_json(512));
  CHECK(tokenizer.kind == TokenizerKind::spaced_bpe);
  CHECK(tokenizer.tokens.size() == 512);
  CHECK(special_id(tokenizer, "<|eot|>") == 6);
  CHECK(special_id(tokenizer, "the") == -1);
  CHECK(tokenizer.stop_ids == std::vector<int>{1, 6});
  CHECK(tokenizer.byte_token[10] == 17);
  const std::vector<int> ids = encode(tokenizer, "the\n", true);
  REQUIRE(ids.size() == 3);
  CHECK(ids[0] == 0);
  CHECK(tokenizer.tokens[static_cast<std::size_t>(ids[1])].text == " the");
  CHECK(ids[2] == 17);
  CHECK(decode(tokenizer, ids) == "the\n");
  CHECK(encode(tokenizer, "<eos>", false) != std::vector<int>{1});  // typed text is never special
}

TEST_CASE("text that no token covers falls back to bytes and comes back") {
  for (const std::string& json : {spaced_tokenizer_json(512), byte_level_tokenizer_json(512)}) {
    const Tokenizer tokenizer = read(json);
    for (const std::string text : {"caf\u00e9 \u65e5\u672c \U0001F642", "a\tb\r\n", "\x80\xff"}) {
      CHECK(decode(tokenizer, encode(tokenizer, text, true)) == text);
    }
    CHECK(encode(tokenizer, "", false).empty());
    CHECK_THROWS_AS(decode(tokenizer, {512}), Error);
    CHECK_THROWS_AS(decode(tokenizer, {-1}), Error);
  }
}

TEST_CASE("GPT-2's pattern") {
  using List = std::vector<std::string>;
  CHECK(words("Hello world") == List{"Hello", " world"});
  CHECK(words("don't we'll") == List{"don", "'t", " we", "'ll"});
  CHECK(words("a  b") == List{"a", " ", " b"});
  CHECK(words("a \n b ") == List{"a", " \n", " b", " "});
  CHECK(words("a\nb") == List{"a", "\n", "b"});
  CHECK(words("x12 34!?") == List{"x", "12", " 34", "!?"});
  CHECK(words("\u00e9t\u00e9 \u0663\u00bd") == List{"\u00e9t\u00e9", " \u0663\u00bd"});
  CHECK(words("").empty());
}

TEST_CASE("character classes and broken UTF-8") {
  CHECK(char_class(U'a') == CharClass::letter);
  CHECK(char_class(U'7') == CharClass::number);
  CHECK(char_class(0x3000) == CharClass::space);
  CHECK(char_class(0x1F642) == CharClass::other);
  CHECK(char_class(0x10FFFF) == CharClass::other);
  const std::vector<TextChar> chars = text_chars("\xC0\x80\xED\xA0\x80\u00e9\xF0\x9F");
  REQUIRE(chars.size() == 8);  // every byte but the two of the letter stands alone
  CHECK(chars[5].value == 0xE9);
  CHECK(chars[6].value == 0xFFFD);
}

TEST_CASE("long texts without cuts merge in n log n steps") {
  Json json = Json::parse(spaced_tokenizer_json(512));
  json["pre_tokenizer"]["split"] = false;
  const Tokenizer tokenizer = read(json.dump());
  std::string text;
  for (int i = 0; i < 50000; ++i) text += "the water ";
  CHECK(decode(tokenizer, encode(tokenizer, text, false)) == text);
}

TEST_CASE("templates: special tokens, text and the user's words") {
  const Tokenizer tokenizer = read(spaced_tokenizer_json(512));
  const ChatTemplate chat = read_chat_template(
      "chat.txt", "# a comment\nfirst: <bos><|user|>\\n{user}<|eot|>\\n\nstop: <|eot|>\n",
      tokenizer);
  CHECK(chat.stop_ids == std::vector<int>{6});
  CHECK(chat.next.size() == chat.first.size());
  const std::vector<int> ids = apply_template(tokenizer, chat.first, "hi <eos>");
  CHECK(ids[0] == 0);
  CHECK(ids[1] == 4);
  CHECK(std::count(ids.begin(), ids.end(), 1) == 0);
  CHECK(std::count(ids.begin(), ids.end(), 6) == 1);
  CHECK(decode(tokenizer, ids) == "\nhi <eos> \n");
  const auto error = [&tokenizer](std::string_view text) {
    try {
      read_chat_template("chat.txt", text, tokenizer);
    } catch (const Error& problem) {
      return std::string(problem.what());
    }
    return std::string("no error");
  };
  CHECK(error("first: <|nobody|>{user}") ==
        "chat.txt: line 1: '<|nobody|>' is not a special token of the tokenizer");
  CHECK(error("first: hello") == "chat.txt: line 1: {user} stands there 0 times, not once");
  CHECK(error("stop: <|eot|>") == "chat.txt: it has no line 'first:'");
  CHECK(error("last: x").find("line 1: lines begin with") != std::string::npos);
}

namespace {

struct Broken {
  const char* message;
  void (*edit)(Json&);
};
const Broken kBroken[] = {
    {"model type 'Unigram' is not supported", [](Json& j) { j["model"]["type"] = "Unigram"; }},
    {"BPE dropout is not", [](Json& j) { j["model"]["dropout"] = 0.1; }},
    {"BPE with a end_of_word_suffix", [](Json& j) { j["model"]["end_of_word_suffix"] = "</w>"; }},
    {"normalizer 'Lowercase' is not supported",
     [](Json& j) {
       j["normalizer"] = {{"type", "Lowercase"}};
     }},
    {"pre_tokenizer 'Whitespace'",
     [](Json& j) {
       j["pre_tokenizer"] = {{"type", "Whitespace"}};
     }},
    {"pre_tokenizer 'Digits' after 'Metaspace'",
     [](Json& j) {
       j["pre_tokenizer"] = {{"type", "Sequence"},
                             {"pretokenizers", {j["pre_tokenizer"], {{"type", "Digits"}}}}};
     }},
    {"a tokenizer without a decoder", [](Json& j) { j["decoder"] = nullptr; }},
    {"prepend_scheme 'often'", [](Json& j) { j["pre_tokenizer"]["prepend_scheme"] = "often"; }},
    {"decoder 'WordPiece'",
     [](Json& j) {
       j["decoder"] = {{"type", "WordPiece"}};
     }},
    {"post_processor 'BertProcessing'",
     [](Json& j) {
       j["post_processor"] = {{"type", "BertProcessing"}};
     }},
    {"byte_fallback with 255 of 256 bytes",
     [](Json& j) {
       const int id = j["model"]["vocab"]["<0x41>"];
       j["model"]["vocab"].erase("<0x41>");
       j["model"]["vocab"]["other"] = id;
     }},
    {"share id 300", [](Json& j) { j["model"]["vocab"]["twin"] = 300; }},
    {"has id 4000000000", [](Json& j) { j["model"]["vocab"]["far"] = 4000000000u; }},
    {"the id of token 'x' is not a count", [](Json& j) { j["model"]["vocab"]["x"] = -1; }},
    {"merge 0: 'zz' is not in the vocabulary", [](Json& j) { j["model"]["merges"][0] = "zz a"; }},
    {"merge 1 'abc' is not two tokens", [](Json& j) { j["model"]["merges"][1] = "abc"; }},
    {"merge 1 is neither", [](Json& j) { j["model"]["merges"][1] = 5; }},
    {"'model' has no 'vocab'", [](Json& j) { j["model"].erase("vocab"); }},
    {"'model' is missing", [](Json& j) { j.erase("model"); }},
    {"it is not a JSON object", [](Json& j) { j = 3; }},
};

}  // namespace

TEST_CASE("pieces that we do not handle are named") {
  for (const Broken& broken : kBroken) {
    CAPTURE(broken.message);
    const std::string error = error_after(broken.edit);
    CAPTURE(error);
    CHECK(error.find(broken.message) != std::string::npos);
  }
  CHECK(error_after([](Json& j) { j["model"]["vocab"]["\u65e5"] = 512; }, true)
            .find("is not written in byte-level symbols") != std::string::npos);
  CHECK_THROWS_WITH_AS(read("{\"model\":"), doctest::Contains("tokenizer.json: JSON: "), Error);
  CHECK_THROWS_WITH_AS(read(std::string(100000, '[')), doctest::Contains("nested deeper"), Error);
}
