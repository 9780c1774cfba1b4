// Patterns of pre-tokenizers: what they match, what is refused; normal forms of Unicode.
#include "model/pattern.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "model/normal_form.h"
#include "support/tokenizers.h"

using namespace sb3lm;

namespace {

using List = std::vector<std::string>;

List cut(const std::string& pattern, std::string_view text) {
  List list;
  for (const std::string_view piece : cut_by_steps({parse_pattern("a test", pattern)}, text)) {
    list.emplace_back(piece);
  }
  return list;
}

std::string error_of(const std::string& pattern) {
  try {
    parse_pattern("t.json", pattern);
  } catch (const Error& problem) {
    return problem.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("alternatives: the first that fits, the longest run, then shorter ones") {
  CHECK(cut("a+|b", "aab!b") == List{"aa", "b", "!", "b"});
  CHECK(cut("a*ab", "aaab") == List{"aaab"});
  CHECK(cut("a{2}", "aaaaa") == List{"aa", "aa", "a"});
  CHECK(cut("a{2,3}", "aaaaa") == List{"aaa", "aa"});
  CHECK(cut("a{2,}|x", "aaaaxa") == List{"aaaa", "x", "a"});
  CHECK(cut("(?:ab|a)c?", "abac") == List{"ab", "ac"});
  CHECK(cut("'(?i:[sd]|ll)", "'S'Ll'\u017F'x") == List{"'S", "'Ll", "'\u017F", "'x"});
  CHECK(cut("\\x{61}\\u0062|[\\]\\-x-z]", "ab]-yw") == List{"ab", "]", "-", "y", "w"});
  CHECK(cut("[^\\p{L}\\d]", "a1.b") == List{"a1", ".", "b"});
  CHECK(cut("\\P{L}+", "a1.b") == List{"a", "1.", "b"});
  CHECK(cut(as_pattern("a.b"), "a.bacb") == List{"a.b", "acb"});
}

TEST_CASE("white space: lines ends, and the last space before a word") {
  CHECK(cut("\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+", "a \n\n  b") == List{"a", " \n\n", " ", " ", "b"});
  CHECK(cut("\\s+(?!\\S)|\\s+", "a   ") == List{"a", "   "});
  CHECK(cut("\\s+(?!\\S)|\\s+", "a b") == List{"a", " ", "b"});
}

TEST_CASE("the patterns of Llama 3 and Qwen2") {
  CHECK(cut(test::kLlama3Pattern, "I'LL pay 12345!\n\n (x)") ==
        List{"I", "'LL", " pay", " ", "123", "45", "!\n\n", " (", "x", ")"});
  CHECK(cut(test::kQwen2Pattern, "a12 b") == List{"a", "1", "2", " b"});
}

TEST_CASE("what patterns have and we do not is named") {
  CHECK(error_of("a+?") == "t.json: pattern 'a+?', which has a lazy repetition, is not supported");
  CHECK(error_of("a++").find("a possessive repetition") != std::string::npos);
  CHECK(error_of("\\p{Lu}").find("has \\p{Lu},") != std::string::npos);
  CHECK(error_of("^a").find("has '^' in this place,") != std::string::npos);
  CHECK(error_of("(a|b)+").find("a repeated group") != std::string::npos);
  CHECK(error_of("(?<=a)b").find("of another kind") != std::string::npos);
  CHECK(error_of("a(?!bc)").find("(?!..) of more than one set") != std::string::npos);
  CHECK(error_of("a+(?:b|a)").find("a group after a repetition") != std::string::npos);
  CHECK(error_of("a*").find("an alternative that may be empty") != std::string::npos);
  CHECK(error_of("[a[b]]").find("[..] in [..]") != std::string::npos);
  CHECK(error_of("(?i:\u00E9)").find("beyond ASCII") != std::string::npos);
  CHECK(error_of("a)") == "t.json: pattern 'a)': ')' closes nothing");
  CHECK(error_of("[z-a]").find("a range goes backwards") != std::string::npos);
  CHECK(error_of("(a").find("it ends too early") != std::string::npos);
  CHECK(error_of("a{3,2}").find("{..} is no repetition") != std::string::npos);
  CHECK(error_of(std::string(5000, 'a')).find("of more than 4096 bytes") != std::string::npos);
  CHECK(error_of(std::string(200, 'a')).find("too many parts") != std::string::npos);
}

TEST_CASE("a pattern that would try for ever is given up") {
  std::string pattern = "b";
  for (int i = 0; i < 12; ++i) pattern = "a*" + pattern;
  CHECK_THROWS_WITH_AS(cut(pattern, std::string(200, 'a')), doctest::Contains("takes too long"),
                       Error);
  CHECK(cut("a*b|a", std::string(20000, ' ') + "a").size() == 2);
}

TEST_CASE("normal forms: marks in order, what composes, what is alike") {
  const auto nfc = [](std::string_view text) { return normalized(NormalForm::nfc, text); };
  CHECK(nfc("e\u0301 q\u0301") == "\u00E9 q\u0301");
  CHECK(nfc("s\u0307\u0323") == "\u1E69");
  CHECK(nfc("\u1E9B\u0323") == "\u1E9B\u0323");
  CHECK(nfc("\u1100\u1161\u11A8 \uAC00\u11A8") == "\uAC01 \uAC01");
  CHECK(nfc("\u0958 \u212B \uFB01") == "\u0915\u093C \u00C5 \uFB01");
  CHECK(nfc("a\xFFz\u00E9") == "a\uFFFDz\u00E9");
  CHECK(normalized(NormalForm::nfkc, "\uFB01\uFF21\u2460\u00A0\u1E9B\u0323") == "fiA1 \u1E69");
  CHECK(normalized(NormalForm::none, "e\u0301") == "e\u0301");
}
