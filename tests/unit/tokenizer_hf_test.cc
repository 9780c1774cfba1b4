#include <doctest/doctest.h>

#include <algorithm>

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

TEST_CASE("other steps: digits, Split, what falls away, marks that are typed") {
  const auto cut = [](const Json& pre_tokenizer, const std::string& text) {
    Json json = Json::parse(byte_level_tokenizer_json(512));
    json["pre_tokenizer"] = {
        {"type", "Sequence"},
        {"pretokenizers",
         {pre_tokenizer,
          {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}}}}};
    std::vector<std::string> list;
    for (const auto piece : split_words(read(json.dump()), text)) list.emplace_back(piece);
    return list;
  };
  using List = std::vector<std::string>;
  CHECK(cut({{"type", "Digits"}, {"individual_digits", true}}, "a12") == List{"a", "1", "2"});
  CHECK(cut({{"type", "Digits"}}, "a12b") == List{"a", "12", "b"});
  CHECK(cut({{"type", "Punctuation"}}, "a.,b") == List{"a", ".", ",", "b"});
  Json split = {{"type", "Split"}, {"pattern", {{"String", "a."}}}, {"behavior", "Isolated"}};
  CHECK(cut(split, "xa.ab") == List{"x", "a.", "ab"});
  split["behavior"] = "Removed";
  CHECK(cut(split, "xa.ab") == List{"x", "ab"});
  split["invert"] = true;
  CHECK(cut(split, "xa.ab") == List{"a."});
  split = {{"type", "Split"}, {"pattern", {{"Regex", "[a-c]"}}}, {"behavior", "Contiguous"}};
  CHECK(cut(split, "xabcx") == List{"x", "abc", "x"});

  const Tokenizer marks = read(spaced_tokenizer_json(512));
  CHECK(encode(marks, "\u2581the", false) == encode(marks, "the", false));
}

TEST_CASE("added tokens: where they are found, what they take along") {
  Json json = Json::parse(byte_level_tokenizer_json(512));
  const auto add = [&](int id, const char* text, const char* flag) {
    Json token = {{"id", id}, {"content", text}, {"special", false}, {"normalized", false}};
    if (*flag != 0) token[flag] = true;
    json["added_tokens"].push_back(token);
  };
  add(512, "<a>", "");
  add(513, "<l>", "lstrip");
  add(514, "<r>", "rstrip");
  add(515, "word", "single_word");
  add(516, "<a>b", "");
  add(520, "e\u0301", "");
  json["normalizer"] = {{"type", "NFC"}};
  const Tokenizer tokenizer = read(json.dump());
  CHECK(tokenizer.tokens.size() == 521);
  CHECK(tokenizer.tokens[518].text.empty());  // an id without a token
  const auto ids = [&](const char* text) { return encode(tokenizer, text, false); };
  CHECK(ids("<a><a>b") == std::vector{512, 516});
  CHECK(ids(" <l> <r>  <a>") == std::vector{513, ids(" ")[0], 514, 512});
  CHECK(ids("word") == std::vector{515});
  CHECK(ids("words") != ids("word"));
  CHECK(std::ranges::count(ids("aword word. _word"), 515) == 1);
  CHECK(ids("e\u0301") == std::vector{520});         // before NFC
  CHECK(ids("o\u0301") == ids("\u00F3"));            // after it
  CHECK(ids("  <a>").front() == ids("  ").front());  // cut as if the text ended there
  CHECK(decode(tokenizer, {512, 518, 515}) == "<a>word");
}

TEST_CASE("a piece that is a token is that one where merges are ignored") {
  Json json = Json::parse(byte_level_tokenizer_json(512));
  json["model"]["vocab"]["xyzzy"] = 512;
  CHECK(encode(read(json.dump()), "xyzzy", false) != std::vector{512});
  json["model"]["ignore_merges"] = true;
  const Tokenizer tokenizer = read(json.dump());
  CHECK(encode(tokenizer, "xyzzy", false) == std::vector{512});
  CHECK(encode(tokenizer, "xyzzyx", false) != std::vector{512});
  CHECK(encode(tokenizer, "the water", false) ==
        encode(read(byte_level_tokenizer_json(512)), "the water", false));
}

TEST_CASE("vocab.json and merges.txt say what tokenizer.json does") {
  const Json json = Json::parse(byte_level_tokenizer_json(512));
  const std::string vocabulary = json["model"]["vocab"].dump();
  std::string merges = "#version: 0.2\n";
  for (const Json& merge : json["model"]["merges"]) merges += merge.get<std::string>() + "\n";
  const NamedBytes vocab{"vocab.json", as_bytes(vocabulary)}, lines{"merges.txt", as_bytes(merges)};
  const Tokenizer a = read(json.dump()), b = read_vocab_merges(vocab, lines, nullptr);
  for (const char* text : {"the water 12", " I'll go", "caf\u00e9"}) {
    CHECK(encode(a, text, false) == encode(b, text, false));
  }
  const std::string config = R"({"tokenizer_class": "BertTokenizer"})";
  const NamedBytes named{"tokenizer_config.json", as_bytes(config)};
  CHECK_THROWS_WITH_AS(read_vocab_merges(vocab, lines, &named),
                       doctest::Contains("for the tokenizer_class 'BertTokenizer'"), Error);
}

TEST_CASE("a vocabulary is made larger or loses its end") {
  Tokenizer tokenizer = read(byte_level_tokenizer_json(512));
  CHECK(fit_vocabulary(tokenizer, 600));
  CHECK(tokenizer.tokens.size() == 600);
  CHECK(decode(tokenizer, {599}).empty());
  CHECK(fit_vocabulary(tokenizer, 512));
  CHECK_FALSE(fit_vocabulary(tokenizer, 500));
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
  const ChatTemplate small = read_chat_template(
      "chat.txt",
      "first: Ask: {user|lower}<|eot|>\nnext: <|eot|><|user|>{user}\nstop: <eos> <|eot|>",
      tokenizer);
  CHECK(lowers_user(small));
  CHECK(!lowers_user(chat));
  CHECK(apply_template(tokenizer, small.first, "H\u0130 \u00c9\u03a3") ==
        apply_template(tokenizer, parse_template(tokenizer, "Ask: {user}<|eot|>"),
                       "h\u0130 \u00e9\u03c3"));
  // The end of a reply belongs to the reply.
  CHECK(small.next.front().token == 4);
  CHECK(small.stop_ids == std::vector<int>{6, 1});
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
    {"normalizer 'Prepend' for the second time",
     [](Json& j) {
       const Json prepend = {{"type", "Prepend"}, {"prepend", "\u2581"}};
       j["normalizer"] = {{"type", "Sequence"}, {"normalizers", {prepend, prepend}}};
     }},
    {"normalizer 'Prepend' without a 'Replace' of spaces",
     [](Json& j) {
       j["normalizer"] = {{"type", "Prepend"}, {"prepend", "\u2581"}};
       j["pre_tokenizer"] = nullptr;
     }},
    {"pre_tokenizer 'Metaspace' after another",
     [](Json& j) {
       j["pre_tokenizer"] = {{"type", "Sequence"},
                             {"pretokenizers", {{{"type", "Digits"}}, j["pre_tokenizer"]}}};
     }},
    {"pre_tokenizer 'Split' with behavior 'MergedWithNext'",
     [](Json& j) {
       j["pre_tokenizer"] = {
           {"type", "Split"}, {"pattern", {{"String", "x"}}}, {"behavior", "MergedWithNext"}};
     }},
    {"pattern '\\w+', which has '\\w', is not supported",
     [](Json& j) {
       j["pre_tokenizer"] = {{"type", "Split"}, {"pattern", {{"Regex", "\\w+"}}}};
     }},
    {"decoder 'ByteFallback' after 'Fuse'",
     [](Json& j) {
       auto& steps = j["decoder"]["decoders"];
       steps = {{{"type", "Fuse"}}, {{"type", "ByteFallback"}}};
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
       const int id = j["model"]["vocab"]["<0x80>"];
       j["model"]["vocab"].erase("<0x80>");
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
  // A byte that is a letter of its own needs no token.
  const auto without_a = [](Json& j) {
    const int id = j["model"]["vocab"]["<0x41>"];
    j["model"]["vocab"].erase("<0x41>");
    j["model"]["vocab"]["other"] = id;
  };
  CHECK(error_after(without_a) == "no error");
  CHECK(error_after([](Json& j) { j["model"]["vocab"]["\u65e5"] = 512; }, true)
            .find("is not written in byte-level symbols") != std::string::npos);
  CHECK_THROWS_WITH_AS(read("{\"model\":"), doctest::Contains("tokenizer.json: JSON: "), Error);
  CHECK_THROWS_WITH_AS(read(std::string(100000, '[')), doctest::Contains("nested deeper"), Error);
}
