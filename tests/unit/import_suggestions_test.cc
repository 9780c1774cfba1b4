#include <doctest/doctest.h>

#include "base/error.h"
#include "import/suggestions.h"

using namespace sb3lm;

namespace {

Model suggesting(const std::string& text) {
  Model model;
  model.source.metadata[std::string(kSuggestionsKey)] = text;
  return model;
}

}  // namespace

TEST_CASE("a checkpoint's metadata suggests questions") {
  CHECK(suggested_questions({}, "a.safetensors").empty());
  CHECK(suggested_questions(suggesting("[]"), "a").empty());
  const std::vector<std::string> expected = {"What is a volcano?", "Was ist \xC3\xA4hnlich?"};
  CHECK(suggested_questions(suggesting(R"(["What is a volcano?", "Was ist \u00e4hnlich?"])"),
                            "a") == expected);
  CHECK(suggested_questions(suggesting("[\"" + std::string(48, 'a') + "\"]"), "a").size() == 1);
}

TEST_CASE("suggestions that a program could not show are refused") {
  for (const std::string& text :
       {std::string("{}"), std::string("\"What?\""), std::string("[1]"), std::string("[\"\"]"),
        std::string(R"(["a\nb"])"), std::string(R"(["a","b","c","d","e"])"), std::string("[\"a"),
        "[\"" + std::string(49, 'a') + "\"]", std::string(R"(["a", null])")}) {
    CAPTURE(text);
    try {
      suggested_questions(suggesting(text), "a.safetensors");
      FAIL("taken");
    } catch (const Error& problem) {
      CHECK(problem.fault == Fault::bad_input);
      CHECK(std::string_view(problem.what())
                .starts_with("a.safetensors: __metadata__ 'sb3lm.suggestions'"));
    }
  }
}
