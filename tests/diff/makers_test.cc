// What other sprites can ask for beside a chat: `prompt text`, `stop words` and `choose`, against
// the native tokenizer and engine.
#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "pack.h"
#include "runtime_ref/block_session.h"
#include "runtime_ref/engine.h"
#include "sb3/sb3.h"
#include "support/built_models.h"

namespace {

using namespace sb3lm;
using namespace sb3lm::test;

constexpr int kContext = 120;

class Project {
 public:
  explicit Project(const BuiltModel& built)
      : session_(read_sb3(built.name, as_bytes(built.sb3)), silent_) {}

  void set(const char* name, const std::string& text) {
    session_.evaluator().set_variable(name, text);
  }
  void set_list(const char* name, const std::vector<std::string>& texts) {
    session_.evaluator().set_list(name, {texts.begin(), texts.end()});
  }
  BlockResult generate(int max_new_tokens = 8) {
    session_.evaluator().set_variable("max new tokens", static_cast<double>(max_new_tokens));
    return send("generate");
  }
  BlockResult generate_tokens(std::vector<int> tokens) {
    return session_.run({.tokens = std::move(tokens)}, silent_);
  }
  BlockResult chat(const std::string& message) {
    return session_.run({.user_message = message}, silent_);
  }
  std::string choose(const std::string& message, const std::vector<std::string>& answers) {
    set("user message", message);
    set_list("answers", answers);
    status_ = send("choose").status;
    return session_.evaluator().text("choice");
  }
  const std::string& status() const { return status_; }
  BlockEvaluator& evaluator() { return session_.evaluator(); }

 private:
  BlockResult send(const char* message) {
    BlockEvaluator& evaluator = session_.evaluator();
    evaluator.set_variable("temperature", 0.0);
    set("status", "starting");
    evaluator.broadcast(message);
    BlockResult result;
    REQUIRE(evaluator.run_until(
        [&] {
          result.status = evaluator.text("status");
          return result.status == "ready" || result.status.starts_with("error");
        },
        1'000'000));
    for (const double id : evaluator.list_numbers("output tokens")) {
      result.tokens.push_back(static_cast<int>(id));
    }
    result.stop_reason = evaluator.text("stop reason");
    if (const std::size_t turns = evaluator.list_size("transcript"); turns > 0) {
      result.text = std::get<std::string>(evaluator.list_item("transcript", turns - 1));
    }
    return result;
  }

  SilentProgress silent_;
  BlockSession session_;
  std::string status_;
};

double log_probability(std::span<const double> logits, int token) {
  const double top = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const double logit : logits) sum += std::exp(logit - top);
  return logits[static_cast<std::size_t>(token)] - top - std::log(sum);
}

// By logarithms, each answer from an engine of its own.
std::string likeliest(const Model& model, const std::vector<int>& prompt,
                      const std::vector<std::string>& answers) {
  std::string best;
  double best_score = -HUGE_VAL;
  for (const std::string& answer : answers) {
    const TemplatePart text{.kind = TemplatePart::Kind::text, .text = answer};
    const std::vector<int> tokens = apply_template(model.tokenizer, {text}, "", false);
    Engine engine(model, kContext);
    for (std::size_t i = 0; i + 1 < prompt.size(); ++i) engine.step(prompt[i]);
    double score = 0;
    int last = prompt.back();
    for (const int token : tokens) {
      score += log_probability(engine.step(last), token);
      last = token;
    }
    if (!tokens.empty() && score > best_score) best = answer, best_score = score;
  }
  return best;
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace

TEST_CASE("generate runs `prompt text` as long as it is not empty") {
  const BuiltModel built = build_smallest(kContext);
  Project project(built);
  for (const char* text : {"Once upon a time", " two  spaces ", "\xC3\xA9t\xC3\xA9"}) {
    CAPTURE(text);
    project.set("prompt text", text);
    const BlockResult reply = project.generate();
    const std::vector<int> expected = encode(built.model.tokenizer, text, true);
    std::vector<int> prompt;
    for (const double id : project.evaluator().list_numbers("prompt tokens")) {
      prompt.push_back(static_cast<int>(id));
    }
    CHECK(prompt == expected);
    CHECK(project.evaluator().text("prompt text") == text);
    CHECK(project.generate().tokens == reply.tokens);
    project.set("prompt text", "");
    CHECK(project.generate_tokens(expected).tokens == reply.tokens);
  }
}

TEST_CASE("a reply ends before the first stop word") {
  Project project(build_tiny("tiny-moe", "", kContext));
  project.set("prompt text", "Once upon a time");
  const std::string whole = project.generate(30).text;
  const std::string text = whole.substr(std::string("model: ").size());
  CAPTURE(text);
  const auto is_letter = [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; };
  const auto found = std::find_if(text.rbegin(), text.rend(), is_letter);
  REQUIRE(found != text.rend());
  // Capitals do not matter.
  const bool small = std::islower(static_cast<unsigned char>(*found)) != 0;
  const std::string word(1, static_cast<char>(small ? std::toupper(*found) : std::tolower(*found)));
  project.set_list("stop words", {"", "nowhere in the text", word});
  const BlockResult cut = project.generate(30);
  CHECK(cut.status == "ready");
  CHECK(cut.stop_reason == "stop word");
  CHECK(cut.text == "model: " + text.substr(0, lower(text).find(lower(word))));
  project.set_list("stop words", {});
  CHECK(project.generate(30).text == whole);
}

TEST_CASE("choose finds the answer that the engine finds likeliest, and leaves the talk alone") {
  const std::vector<std::vector<std::string>> lists = {{"yes", "no"},
                                                       {"no", "yes"},
                                                       {"blue", "red", "green"},
                                                       {"one two", "three", "", "four five"},
                                                       {"only"},
                                                       {"a", "b", "c", "d", "e"}};
  for (const Tune tune : {Tune::turbowarp, Tune::scratch, Tune::both}) {
    const BuiltModel built = build_smallest(kContext, tune);
    Project project(built), other(built);
    const auto first = [&](const std::string& message) {
      return apply_template(built.model.tokenizer, built.model.chat.first, message, true);
    };
    for (const auto& answers : lists) {
      CAPTURE(answers.back());
      const std::string choice = project.choose("which one?", answers);
      CHECK(project.status() == "ready");
      CHECK(choice == likeliest(built.model, first("which one?"), answers));
    }
    CHECK(project.evaluator().list_size("transcript") == 0);
    for (const char* message : {"Hello", "and then?"}) {
      CHECK(project.chat(message).tokens == other.chat(message).tokens);
      project.choose("in between", lists[2]);
    }
    CHECK(project.evaluator().list_size("transcript") == 4);
  }
}

TEST_CASE("choose leaves a talk alone that is longer than the caches of a window") {
  SilentProgress silent;
  BuiltModel built = build_smallest(kContext);
  for (LayerSpec& layer : built.model.spec.layers) layer.attention.window = 20;
  built.sb3 = pack(built.model, {.lower = {.context = kContext}, .deflate_level = 1}, silent);
  Project project(built), other(built);
  for (const char* message : {"Hello", "and then?", "what else is there to say?", "good"}) {
    CHECK(project.chat(message).tokens == other.chat(message).tokens);
    project.choose("in between", {"yes", "no"});
  }
  CHECK(project.evaluator().list_size("_keys") < kContext * built.model.spec.kv_width(0));
}

TEST_CASE("choose says what it cannot do") {
  Project project(build_smallest(kContext));
  CHECK(project.choose("which?", {}).empty());
  CHECK(project.status() == "error: there are no answers to choose from");
  CHECK(project.choose("which?", {"yes", std::string(200, '?')}) == "yes");
  CHECK(project.status() == "error: there is no room for answer 2");
}
