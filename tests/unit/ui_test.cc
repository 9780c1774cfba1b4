// The user interface on an engine that only pretends: it needs nothing but the public names.
// SB3LM_WRITE_UI=FOLDER also writes the projects, to be looked at in a browser.
#include "lower/ui.h"

#include <doctest/doctest.h>

#include <cstdlib>

#include "base/error.h"
#include "base/file.h"
#include "runtime_ref/block_eval.h"
#include "sb3/sb3.h"
#include "scratch/script.h"

namespace {

using namespace sb3lm;
using namespace sb3lm::blocks;

constexpr const char* kAnswer =
    "Once upon a time there was a small robot who lived in a library. Every night it read one "
    "book, and every morning it told the mice what it had learned: how rivers find the sea, why "
    "the moon follows you home, and which cheese is best on toast.\nThe mice liked cheese most.";

void declare_names(Sprite& stage) {
  stage.var<Str>("status", "");
  stage.var<Num>("progress");
  stage.var<Str>("user message", "");
  stage.list<Str>("transcript");
  stage.list<Num>("prompt tokens");
  stage.list<Num>("output tokens");
}

void add_fake_engine(Sprite& engine) {
  const Var<Str> status{"status"}, message{"user message"};
  const Var<Num> progress{"progress"};
  const List<Str> transcript{"transcript"};
  const List<Num> output{"output tokens"};
  const auto reply = engine.var<Str>("_reply", "");
  const auto at = engine.var<Num>("_reply at");
  engine.when_flag([&](Script& s) {
    s.set(status, "loading");
    s.set(progress, 0);
    s.repeat(10, [&](Script& s) {
      s.change(progress, 10);
      s.wait(0);
    });
    s.set(status, "ready");
  });
  engine.when_received("chat", [&](Script& s) {
    s.set(status, "thinking");
    s.clear(output);
    s.append(transcript, join("user: ", message));
    s.set(reply, "model: ");
    s.append(transcript, reply);
    s.set(at, 1);
    s.repeat(length(kAnswer), [&](Script& s) {
      s.set(reply, join(reply, letter(at, kAnswer)));
      s.replace(transcript, transcript.length(), reply);
      s.append(output, at);
      s.change(at, 1);
    });
    s.set(status, "ready");
  });
}

scratch::Program make_project(const UiOptions& options) {
  scratch::Program program;
  program.title = options.title;
  program.targets.resize(2);
  program.targets[0].name = "Stage";
  program.targets[0].is_stage = true;
  program.targets[1].name = "engine";
  program.targets[1].visible = false;
  program.targets[1].costumes.push_back({"engine", "engine.svg"});
  program.assets["engine.svg"] =
      R"(<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"></svg>)";
  Sprite stage(program, 0), engine(program, 1);
  declare_names(stage);
  add_fake_engine(engine);
  add_chat_ui(program, options);
  return program;
}

const UiOptions kChat = {.title = "Chat with <model> & more",
                         .model_name = "ssmoelm-it-5l",
                         .parameters = "40.2 million parameters"};

std::vector<std::string> texts(const BlockEvaluator& evaluator, const char* list) {
  std::vector<std::string> items;
  for (std::size_t i = 0; i < evaluator.list_size(list); ++i) {
    items.push_back(std::get<std::string>(evaluator.list_item(list, i)));
  }
  return items;
}

}  // namespace

TEST_CASE("the backdrop carries the model's names") {
  const scratch::Program program = make_project(kChat);
  const std::string& svg = program.assets.at("backdrop.svg");
  CHECK(svg.find("Chat with &lt;model> &amp; more") != std::string::npos);
  CHECK(svg.find("40.2 million parameters") != std::string::npos);
  CHECK(svg.find("{{") == std::string::npos);
}

TEST_CASE("a program without the public names is refused") {
  scratch::Program program;
  program.targets.push_back({.name = "Stage", .is_stage = true});
  CHECK_THROWS_AS(add_chat_ui(program, kChat), Error);
}

TEST_CASE("projects are written") {
  const char* folder = std::getenv("SB3LM_WRITE_UI");
  SilentProgress progress;
  for (const bool has_tokenizer : {true, false}) {
    UiOptions options = kChat;
    options.has_tokenizer = has_tokenizer;
    const std::string bytes = write_sb3(make_project(options), 6, progress);
    CHECK(bytes.size() < 20'000);
    if (folder != nullptr) {
      write_file(std::string(folder) + (has_tokenizer ? "/chat.sb3" : "/tokens.sb3"), bytes);
    }
  }
}

TEST_CASE("an answer starts a chat and its reply is shown in lines") {
  BlockEvaluator evaluator(make_project(kChat));
  evaluator.green_flag();
  const auto asking = [&] { return !evaluator.question().empty(); };
  REQUIRE(evaluator.run_until(asking, 10'000));
  CHECK(evaluator.question() == "Ask me something");
  CHECK(evaluator.answer("Tell me a story"));
  REQUIRE(evaluator.run_until([&] { return evaluator.text("status") == "thinking"; }, 100));
  REQUIRE(evaluator.run_until(asking, 10'000));
  CHECK(texts(evaluator, "transcript").size() == 2);
  const auto lines = texts(evaluator, "conversation");
  REQUIRE(lines.size() >= 4);
  CHECK(lines.size() <= 7);
  CHECK(lines.front() == "user: Tell me a story");
  CHECK(lines.back() == "The mice liked cheese most.");
  std::string joined;
  for (std::size_t i = 1; i < lines.size(); ++i) joined += lines[i];
  std::string expected = std::string("model: ") + kAnswer;
  expected.erase(expected.find('\n'), 1);
  CHECK(joined == expected);
}

TEST_CASE("a chat that something else starts does not disturb the waiting question") {
  BlockEvaluator evaluator(make_project(kChat));
  evaluator.green_flag();
  const auto asking = [&] { return !evaluator.question().empty(); };
  REQUIRE(evaluator.run_until(asking, 10'000));
  evaluator.set_variable("user message", std::string("from a harness"));
  evaluator.broadcast("chat");
  REQUIRE(evaluator.run_until([&] { return evaluator.text("status") == "thinking"; }, 10));
  REQUIRE(evaluator.run_until([&] { return evaluator.text("status") == "ready"; }, 10'000));
  CHECK(asking());
  evaluator.step();
  CHECK(texts(evaluator, "conversation").front() == "user: from a harness");
}
