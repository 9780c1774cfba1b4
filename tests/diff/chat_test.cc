// The project's broadcasts in the block evaluator, against the native template, sampler and engine:
// chat over several turns, stop, new chat, unload, and every refused request and its recovery.
#include <doctest/doctest.h>

#include <chrono>
#include <limits>

#include "runtime_ref/conversation.h"
#include "runtime_ref/engine.h"
#include "runtime_ref/generate.h"
#include "sb3/sb3.h"
#include "support/built_models.h"

namespace {

using namespace sb3lm;
using namespace sb3lm::test;

constexpr int kContext = 200;

scratch::Program read_back(const BuiltModel& built) {
  return read_sb3(built.name, as_bytes(built.sb3));
}

// The same conversation on the native engine.
class NativeChat {
 public:
  NativeChat(const Model& model, GenerateOptions options, int context = kContext)
      : model_(model),
        options_(std::move(options)),
        context_(context),
        engine_(model, context),
        sampler_(options_.sampling, model.spec.vocabulary),
        said_({model.tokenizer.bos}, context) {
    options_.stop_ids = model.tokenizer.stop_ids;
    options_.stop_ids.insert(options_.stop_ids.end(), model.chat.stop_ids.begin(),
                             model.chat.stop_ids.end());
  }

  Generated say(const std::string& message, int max_new_tokens = 0) {
    max_new_tokens_ = max_new_tokens > 0 ? max_new_tokens : options_.max_new_tokens;
    const bool is_first = said_.empty();
    if (!is_first && last_.stop_reason != "stop token") {
      said_.add(model_.chat.stop_ids.front());
    }
    said_.start_turn(apply_template(
        model_.tokenizer, is_first ? model_.chat.first : model_.chat.next, message, is_first));
    if (said_.size() > static_cast<std::size_t>(context_) - 1) shift();
    Generated whole;
    do {
      last_ = run(static_cast<int>(whole.tokens.size()));
      whole.tokens.insert(whole.tokens.end(), last_.tokens.begin(), last_.tokens.end());
    } while (last_.stop_reason == "context full" && shift());
    whole.stop_reason = last_.stop_reason;
    return whole;
  }

  int forgotten() const { return forgotten_; }

 private:
  bool shift() {
    const std::size_t gone = said_.shift();
    if (gone > 0) engine_.reset();
    forgotten_ += static_cast<int>(gone);
    return gone > 0;
  }

  // What the engine has not seen yet, then the reply.
  Generated run(int already) {
    std::vector<int> unfed = said_.tokens();
    unfed.erase(unfed.begin(), unfed.begin() + engine_.position());
    GenerateOptions rest = options_;
    rest.max_new_tokens = max_new_tokens_ - already;
    Generated made = generate_after(engine_, sampler_, unfed, rest);
    for (const int token : made.tokens) said_.add(token);
    if (made.stop_reason == "stop token") said_.add(made.unfed);
    return made;
  }

  const Model& model_;
  GenerateOptions options_;
  int context_;
  Engine engine_;
  Sampler sampler_;
  Conversation said_;
  Generated last_;
  int forgotten_ = 0, max_new_tokens_ = 0;
};

class Project {
 public:
  explicit Project(const BuiltModel& built) : session(read_back(built), silent) {}

  BlockResult chat(const std::string& message, double temperature = 0, int max_new_tokens = 9) {
    return session.run(
        {.user_message = message, .max_new_tokens = max_new_tokens, .temperature = temperature},
        silent);
  }
  BlockResult generate(std::vector<int> tokens) {
    return session.run({.tokens = std::move(tokens), .max_new_tokens = 5}, silent);
  }
  // Sends a broadcast and runs until the project says what came of it.
  void send(const char* message) {
    session.evaluator().set_variable("status", std::string("starting"));
    session.evaluator().broadcast(message);
    wait();
  }
  void flag() {
    session.evaluator().set_variable("status", std::string("starting"));
    session.evaluator().green_flag();
    wait();
  }
  void wait() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    const auto is_final = [&] {
      const std::string now = status();
      return now == "ready" || now == "unloaded" || now.starts_with("error") ||
             std::chrono::steady_clock::now() > deadline;
    };
    REQUIRE(session.evaluator().run_until(is_final, std::numeric_limits<std::size_t>::max()));
    REQUIRE(status() != "starting");
  }
  std::string status() { return session.evaluator().text("status"); }

  SilentProgress silent;
  BlockSession session;
};

}  // namespace

TEST_CASE("a templated conversation, greedy and sampled, is the native one") {
  for (const char* preset : {"tiny-moe", "tiny-moe-odd", "tiny-moe-flipped"}) {
    for (const double temperature : {0.0, 1.0}) {
      CAPTURE(preset);
      CAPTURE(temperature);
      const BuiltModel built = build_tiny(preset, "", kContext);
      REQUIRE(built.model.chat.present());
      Project project(built);
      NativeChat native(built.model,
                        {.sampling = {.temperature = temperature}, .max_new_tokens = 9});
      for (const char* message : {"Hello there!", "and what then?  ", "\xC3\xA9t\xC3\xA9"}) {
        CAPTURE(message);
        const Generated expected = native.say(message);
        const BlockResult reply = project.chat(message, temperature);
        CHECK(reply.status == "ready");
        CHECK(reply.tokens == expected.tokens);
        CHECK(reply.stop_reason == expected.stop_reason);
      }
      CHECK(project.session.evaluator().list_size("transcript") == 6);
      CHECK(project.session.evaluator().list_item("transcript", 2) ==
            scratch::Scalar(std::string("user: and what then?  ")));
    }
  }
}

// Both ways through the forward pass: in one go, and giving way after every pass.
TEST_CASE("a conversation longer than the context is the native one, in both forms") {
  constexpr int kSmall = 90;
  for (const Tune tune : {Tune::turbowarp, Tune::scratch}) {
    const BuiltModel built = build_tiny("tiny-moe", "", kSmall, tune);
    Project project(built);
    NativeChat native(built.model, {.sampling = {.temperature = 1}, .max_new_tokens = 30}, kSmall);
    int last = 0, shifted_in_reply = 0;
    for (int i = 0; i < 12; ++i) {
      const std::string message = std::string("message ") + std::string(i * i % 17, 'x');
      CAPTURE(message);
      const Generated expected = native.say(message);
      const BlockResult reply = project.chat(message, 1, 30);
      CHECK(reply.status == "ready");
      CHECK(reply.tokens == expected.tokens);
      CHECK(reply.stop_reason == expected.stop_reason);
      CHECK(project.session.evaluator().number("forgotten turns") == native.forgotten());
      if (native.forgotten() > last) ++shifted_in_reply;
      last = native.forgotten();
      const auto prompt = project.session.evaluator().list_size("prompt tokens");
      // A quarter is free whenever the context has been run anew.
      CHECK(prompt <= kSmall - 23);
    }
    CHECK(last >= 5);
    CHECK(shifted_in_reply >= 3);
    CHECK(project.session.evaluator().list_size("transcript") == 24);
  }
}

TEST_CASE("a message that leaves no room is refused, and the conversation goes on without it") {
  const BuiltModel built = build_tiny("tiny-moe", "", 90);
  Project project(built);
  NativeChat native(built.model, {.sampling = {.temperature = 1}, .max_new_tokens = 9}, 90);
  CHECK(project.chat("Hello", 1).tokens == native.say("Hello").tokens);
  const BlockResult refused = project.chat(std::string(300, '?'), 1);
  CHECK(refused.status.starts_with("error: "));
  CHECK(refused.status.starts_with("error: your message is too long: 3"));
  CHECK(refused.status.ends_with("pieces of words, there is room for 66"));
  CHECK(project.session.evaluator().text("user message") == std::string(300, '?'));
  CHECK(project.session.evaluator().list_size("transcript") == 2);
  CHECK(project.chat("again", 1).tokens == native.say("again").tokens);
}

TEST_CASE("new chat forgets everything") {
  const BuiltModel built = build_tiny("tiny-moe", "", kContext);
  Project project(built);
  const BlockResult first = project.chat("Hello", 1);
  const BlockResult second = project.chat("Hello", 1);
  CHECK(first.tokens != second.tokens);
  project.send("new chat");
  CHECK(project.status() == "ready");
  CHECK(project.session.evaluator().list_size("transcript") == 0);
  CHECK(project.session.evaluator().list_size("output tokens") == 0);
  CHECK(project.chat("Hello", 1).tokens == first.tokens);
}

TEST_CASE("generate starts from nothing, also after a chat") {
  const BuiltModel built = build_tiny("tiny-moe", "", kContext);
  Project project(built);
  const BlockResult alone = project.generate({1, 2, 3});
  project.chat("Hello");
  CHECK(project.generate({1, 2, 3}).tokens == alone.tokens);
  CHECK(project.session.evaluator().list_size("transcript") == 1);
}

TEST_CASE("stop ends after the current token, and the conversation goes on") {
  // Long enough not to be full before the message is seen: replies come in steps of 34 ms.
  const BuiltModel built = build_tiny("tiny-moe", "", 2000);
  Project project(built);
  BlockEvaluator& evaluator = project.session.evaluator();
  evaluator.set_variable("max new tokens", 1e9);
  evaluator.set_variable("user message", std::string("Hello"));
  evaluator.broadcast("chat");
  REQUIRE(evaluator.run_until([&] { return evaluator.list_size("output tokens") >= 1; }, 100000));
  CHECK(evaluator.text("status") == "thinking");
  project.send("stop");
  CHECK(project.status() == "ready");
  CHECK(evaluator.text("stop reason") == "stopped");
  CHECK(project.chat("again").stop_reason != "stopped");
}

TEST_CASE("stop with nothing running does no harm") {
  const BuiltModel built = build_tiny("tiny-moe", "", kContext);
  Project project(built);
  project.session.evaluator().broadcast("stop");
  for (int i = 0; i < 20; ++i) project.session.evaluator().step();
  CHECK(project.status() == "ready");
  CHECK(project.generate({1, 2, 3}).tokens.size() == 5);
}

TEST_CASE("unload, then a flag: the same answers as before") {
  const BuiltModel built = build_tiny("tiny-moe", "", kContext);
  Project project(built);
  const BlockResult before = project.chat("Hello");
  project.send("unload");
  CHECK(project.status() == "unloaded");
  CHECK(project.chat("Hello").status.starts_with("error: the model is not loaded"));
  CHECK(project.generate({1}).status.starts_with("error: the model is not loaded"));
  CHECK(project.session.evaluator().list_size("output tokens") == 0);
  project.flag();
  CHECK(project.status() == "ready");
  CHECK(project.chat("Hello").tokens == before.tokens);
}

// The stop sign ends every script; nobody sends anything afterwards.
TEST_CASE("the stop sign in the middle of a reply closes the turn and keeps the talk") {
  for (const Tune tune : {Tune::turbowarp, Tune::scratch}) {
    const BuiltModel built = build_tiny("tiny-moe", "", 2000, tune);
    Project project(built);
    BlockEvaluator& evaluator = project.session.evaluator();
    project.chat("Hello");
    evaluator.set_variable("max new tokens", 1e9);
    evaluator.set_variable("user message", std::string("again"));
    evaluator.broadcast("chat");
    REQUIRE(evaluator.run_until([&] { return evaluator.list_size("output tokens") >= 1; }, 100000));
    evaluator.stop_all();
    CHECK(evaluator.text("status") == "thinking");
    project.wait();
    CHECK(project.status() == "ready");
    CHECK(evaluator.text("stop reason") == "stopped");
    REQUIRE(evaluator.list_size("transcript") == 4);
    const auto said = static_cast<int>(evaluator.list_size("output tokens"));
    NativeChat native(built.model, {.max_new_tokens = 9}, 2000);
    native.say("Hello");
    native.say("again", said);
    CHECK(project.chat("and now?").tokens == native.say("and now?").tokens);
  }
}

TEST_CASE("a request right after the stop sign is served") {
  const BuiltModel built = build_tiny("tiny-moe", "", kContext);
  Project project(built);
  const BlockResult before = project.generate({4, 5});
  project.session.evaluator().broadcast("generate");
  for (int i = 0; i < 3; ++i) project.session.evaluator().step();
  project.session.evaluator().stop_all();
  CHECK(project.generate({4, 5}).tokens == before.tokens);
}

TEST_CASE("the stop sign while the stage asks: the question box opens again, the screen goes on") {
  const BuiltModel built = build_tiny("tiny-moe", "", kContext);
  Project project(built);
  BlockEvaluator& evaluator = project.session.evaluator();
  evaluator.set_variable("max new tokens", 4.0);
  const auto steps = [&](int count) {
    for (int i = 0; i < count; ++i) evaluator.step();
  };
  evaluator.press_key("space");
  steps(5);
  evaluator.stop_all();
  CHECK(!evaluator.answer("lost"));
  const auto asks_again = [&] { return evaluator.number("_waits for an answer") == 0; };
  REQUIRE(evaluator.run_until(asks_again, 100000));
  evaluator.press_key("space");
  steps(5);
  REQUIRE(evaluator.answer("Hello"));
  REQUIRE(evaluator.run_until([&] { return evaluator.list_size("transcript") == 2; }, 100000));
  project.wait();
  steps(5);
  CHECK(evaluator.text("_shown status") == "ready");
}

TEST_CASE("the stop sign while the weights are unpacked: the flag begins again") {
  const BuiltModel built = build_tiny("tiny-moe", "", kContext);
  Project project(built);
  BlockEvaluator& evaluator = project.session.evaluator();
  const BlockResult before = project.chat("Hello");
  project.send("unload");
  evaluator.green_flag();
  evaluator.step();
  CHECK(project.status() == "loading");
  evaluator.stop_all();
  REQUIRE(evaluator.run_until([&] { return project.status() == "click the green flag"; }, 100000));
  CHECK(project.chat("Hello").status.starts_with("error: the model is not loaded"));
  project.flag();
  CHECK(project.chat("Hello").tokens == before.tokens);
}

TEST_CASE("a second flag in the middle of a reply leaves a project that works") {
  const BuiltModel built = build_tiny("tiny-moe", "", kContext);
  Project project(built);
  const BlockResult before = project.generate({4, 5});
  BlockEvaluator& evaluator = project.session.evaluator();
  evaluator.broadcast("generate");
  for (int i = 0; i < 3; ++i) evaluator.step();
  project.flag();
  CHECK(project.status() == "ready");
  CHECK(project.generate({4, 5}).tokens == before.tokens);
}

TEST_CASE("refused requests say why, run nothing, and the next one works") {
  const BuiltModel built = build_tiny("tiny-moe", "", 24);
  Project project(built);
  BlockEvaluator& evaluator = project.session.evaluator();
  const std::vector<int> good = {1, 2, 3};
  const BlockResult expected = project.generate(good);
  const auto check_refused = [&](const std::vector<scratch::Scalar>& prompt,
                                 const std::string& status) {
    CAPTURE(status);
    evaluator.set_list("prompt tokens", prompt);
    project.send("generate");
    CHECK(project.status() == status);
    CHECK(evaluator.list_size("output tokens") == 0);
    CHECK(evaluator.list_size("logits") == 0);
    CHECK(project.generate(good).tokens == expected.tokens);
  };
  check_refused({}, "error: there are no prompt tokens");
  check_refused({1.0, 512.0}, "error: token 512: ids of this model are 0 to 511");
  check_refused({-1.0}, "error: token -1: ids of this model are 0 to 511");
  check_refused({0.5}, "error: token 0.5: ids of this model are 0 to 511");
  check_refused(std::vector<scratch::Scalar>(24, 7.0),
                "error: the prompt is too long: 24 pieces of words, there is room for 23");
  evaluator.set_list("prompt tokens", std::vector<scratch::Scalar>(23, 7.0));
  project.send("generate");
  CHECK(project.status() == "ready");
}

TEST_CASE("more logits than a list holds are refused") {
  const BuiltModel built = build_tiny("tiny-moe", "", 500);
  Project project(built);
  BlockRequest request{.tokens = {1, 2}, .max_new_tokens = 400, .record_logits = 1};
  const BlockResult refused = project.session.run(request, project.silent);
  CHECK(refused.status.starts_with("error: so many logits"));
  CHECK(refused.logits.empty());
  request.max_new_tokens = 3;
  const BlockResult result = project.session.run(request, project.silent);
  CHECK(result.status == "ready");
  CHECK(result.logits.size() == 3 * 512);
}

TEST_CASE("recorded rows by mode") {
  const BuiltModel built = build_tiny("tiny-moe", "", kContext);
  Project project(built);
  BlockRequest request{.tokens = {1, 2, 3, 4}, .max_new_tokens = 2, .record_logits = 0};
  CHECK(project.session.run(request, project.silent).logits.empty());
  request.record_logits = 1;
  const auto generated = project.session.run(request, project.silent).logits;
  CHECK(generated.size() == 2 * 512);
  request.record_logits = 2;
  const auto all = project.session.run(request, project.silent).logits;
  CHECK(all.size() == 5 * 512);
  CHECK(std::vector<double>(all.begin() + 3 * 512, all.end()) == generated);
  request.max_new_tokens = 0;
  const BlockResult none = project.session.run(request, project.silent);
  CHECK(none.status == "ready");
  CHECK(none.stop_reason == "length");
  CHECK(none.tokens.empty());
}
