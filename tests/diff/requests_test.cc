// Requests that meet: every ordered pair of messages, in the same step and one step apart, in the
// block evaluator, scratch-vm and TurboWarp, against the table in requests.def.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "runtime_ref/block_session.h"
#include "sb3/sb3.h"
#include "support/built_models.h"
#include "support/skip.h"
#include "support/vm_run.h"

namespace {

using namespace sb3lm;
using namespace sb3lm::test;

using Json = nlohmann::json;

constexpr int kContext = 200;
constexpr int kReply = 4;  // tokens

struct Case {
  std::string first, second;
  int apart;  // steps
  std::string transcript, status;
};

std::vector<Case> all_cases() {
  std::vector<Case> cases;
#define PAIRS(first, second, same_step, next_step, status)  \
  cases.push_back({#first, #second, 0, same_step, status}); \
  cases.push_back({#first, #second, 1, next_step, status});
#include "requests.def"
#undef PAIRS
  return cases;
}

// u and m for turns of the user and the model.
std::string roles(const std::vector<std::string>& transcript) {
  std::string letters;
  for (const std::string& turn : transcript) letters += turn.substr(0, 1);
  return letters;
}

// Each pair meets a project that was started, and asked one thing, anew.
Json request_of(const std::vector<Case>& cases) {
  Json runs = Json::array();
  const Json set = {{"max new tokens", kReply}, {"temperature", 0}};
  for (const Case& one : cases) {
    runs.push_back({{"send", {"flag", "chat"}}, {"user_message", "Hello"}, {"set", set}});
    runs.push_back({{"send", {one.first, one.second}},
                    {"apart", one.apart},
                    {"tokens", {1, 2, 3}},
                    {"user_message", "and then?"}});
  }
  return {{"runs", std::move(runs)}};
}

void compare_in_vm(const std::string& vm) {
  const std::vector<Case> cases = all_cases();
  const BuiltModel built = build_smallest(kContext);
  const auto result = run_request(SB3LM_SOURCE_DIR, vm, built.sb3, request_of(cases).dump());
  if (!result) return skip_without(vm);
  const Json runs = Json::parse(*result).at("runs");
  REQUIRE(runs.size() == 2 * cases.size());
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const Case& one = cases[i];
    CAPTURE(one.first);
    CAPTURE(one.second);
    CAPTURE(one.apart);
    CHECK(roles(runs[2 * i].at("transcript")) == "um");
    CHECK(roles(runs[2 * i + 1].at("transcript")) == one.transcript);
    CHECK(runs[2 * i + 1].at("status") == one.status);
  }
}

class Project {
 public:
  explicit Project(const BuiltModel& built)
      : session_(read_sb3(built.name, as_bytes(built.sb3)), silent_),
        evaluator_(session_.evaluator()) {
    evaluator_.set_variable("max new tokens", static_cast<double>(kReply));
    evaluator_.set_variable("temperature", 0.0);
  }

  void send(const std::string& first, const std::string& second, int apart) {
    act(first);
    for (int i = 0; i < apart; ++i) evaluator_.step();
    act(second);
    for (int i = 0; i < 3; ++i) evaluator_.step();
    const auto done = [&] {
      const std::string now = status();
      return now == "ready" || now == "unloaded" || now.starts_with("error");
    };
    REQUIRE((done() || evaluator_.run_until(done, 1'000'000)));
  }
  std::vector<std::string> transcript() const {
    std::vector<std::string> turns;
    for (std::size_t i = 0; i < evaluator_.list_size("transcript"); ++i) {
      turns.push_back(std::get<std::string>(evaluator_.list_item("transcript", i)));
    }
    return turns;
  }
  std::string status() const { return evaluator_.text("status"); }
  BlockEvaluator& evaluator() { return evaluator_; }

 private:
  void act(const std::string& name) {
    if (name == "flag") return evaluator_.green_flag();
    evaluator_.broadcast(name);
  }

  SilentProgress silent_;
  BlockSession session_;
  BlockEvaluator& evaluator_;
};

// The stop sign in a real player, in the middle of a reply and while nothing happens.
void check_after_stop_sign(const std::string& vm) {
  const BuiltModel built = build_smallest(2000);
  const auto run = [](Json send, int apart, const char* message, int max_new_tokens) {
    return Json{{"send", std::move(send)},
                {"apart", apart},
                {"user_message", message},
                {"set", {{"max new tokens", max_new_tokens}, {"temperature", 0}}}};
  };
  const Json runs = {run({"chat", "stop sign"}, 3, "Hello", 1900),
                     run({"stop sign", "chat"}, 60, "again", kReply),
                     run({"stop sign", "chat"}, 0, "and again", kReply)};
  const auto result = run_request(SB3LM_SOURCE_DIR, vm, built.sb3, Json{{"runs", runs}}.dump());
  if (!result) return skip_without(vm);
  const Json made = Json::parse(*result).at("runs");
  std::string expected;
  for (const Json& run : made) {
    CHECK(run.at("status") == "ready");
    CHECK(roles(run.at("transcript")) == (expected += "um"));
  }
  CHECK(made[0].at("stop_reason") == "stopped");
}

}  // namespace

TEST_CASE("all pairs of messages: the block evaluator") {
  Project project(build_smallest(kContext));
  for (const Case& one : all_cases()) {
    CAPTURE(one.first);
    CAPTURE(one.second);
    CAPTURE(one.apart);
    project.evaluator().set_variable("user message", std::string("Hello"));
    project.send("flag", "chat", 0);
    CHECK(roles(project.transcript()) == "um");
    project.evaluator().set_variable("user message", std::string("and then?"));
    project.evaluator().set_list("prompt tokens", {1.0, 2.0, 3.0});
    project.send(one.first, one.second, one.apart);
    CHECK(roles(project.transcript()) == one.transcript);
    CHECK(project.status() == one.status);
  }
}

TEST_CASE("all pairs of messages: scratch-vm") {
  compare_in_vm("scratch");
}

TEST_CASE("all pairs of messages: TurboWarp") {
  compare_in_vm("turbowarp");
}

TEST_CASE("a question that waits is the one that was asked") {
  Project project(build_smallest(kContext));
  project.evaluator().set_variable("user message", std::string("first"));
  project.evaluator().broadcast("chat");
  project.evaluator().step();
  project.evaluator().set_variable("user message", std::string("second"));
  project.send("chat", "nothing", 1);
  const auto said = project.transcript();
  REQUIRE(said.size() == 4);
  CHECK(said[0] == "user: first");
  CHECK(said[2] == "user: second");
}

TEST_CASE("more questions than can wait: one is lost, and the status says so") {
  Project project(build_smallest(2000));
  project.evaluator().stop_all();  // so that nobody serves meanwhile
  for (int i = 0; i < 30; ++i) {
    project.evaluator().broadcast("chat");
    project.evaluator().step();
  }
  project.send("nothing", "nothing", 1);
  CHECK(project.status() == "error: 16 requests wait already, one more is lost");
  CHECK(project.transcript().size() == 32);
}

TEST_CASE("after the stop sign the project answers again: scratch-vm") {
  check_after_stop_sign("scratch");
}

TEST_CASE("after the stop sign the project answers again: TurboWarp") {
  check_after_stop_sign("turbowarp");
}
