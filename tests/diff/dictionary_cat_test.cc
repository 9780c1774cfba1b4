// The bundled model's answers to twenty questions, which its trainer's own forward pass chose
// (tools/train), token by token: in the double engine, the block evaluator and the virtual
// machines.
#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "pack.h"
#include "runtime_ref/generate.h"
#include "runtime_ref/verify.h"
#include "sb3/sb3.h"
#include "support/skip.h"
#include "support/vm_batch.h"

namespace {

using namespace sb3lm;
using namespace sb3lm::test;

constexpr int kContext = 256;

const std::filesystem::path kFolder =
    std::filesystem::path(SB3LM_SOURCE_DIR) / "samples" / "dictionary-cat";

struct Answer {
  std::string question, text;
  std::vector<int> prompt, tokens;
};

const Model& model() {
  static const Model loaded = [] {
    SilentProgress silent;
    return load_model(kFolder / "model.safetensors", {}, {.float_bits = kStayFloats}, silent);
  }();
  return loaded;
}

const std::vector<Answer>& answers() {
  static const std::vector<Answer> all = [] {
    const MappedFile file(kFolder / "answers.json");
    const auto parsed = nlohmann::json::parse(file.text());
    std::vector<Answer> read;
    for (const auto& one : parsed.at("answers")) {
      Answer answer{.question = one.at("question"),
                    .text = one.at("text"),
                    .prompt = one.at("prompt").get<std::vector<int>>(),
                    .tokens = one.at("tokens").get<std::vector<int>>()};
      CHECK(apply_template(model().tokenizer, model().chat.first, answer.question) ==
            answer.prompt);
      read.push_back(std::move(answer));
    }
    return read;
  }();
  return all;
}

BlockRequest request_of(const Answer& answer) {
  return {.tokens = answer.prompt, .max_new_tokens = static_cast<int>(answer.tokens.size()) + 1};
}

const std::string& sb3() {
  static const std::string bytes = [] {
    SilentProgress silent;
    return pack(model(), {.lower = {.context = kContext, .title = "cat"}, .deflate_level = 1},
                silent);
  }();
  return bytes;
}

void check_vm(const char* vm, std::size_t count) {
  VmJob job{.name = "dictionary cat", .sb3 = sb3(), .runs = {}};
  REQUIRE(answers().size() >= count);
  for (std::size_t i = 0; i < count; ++i) job.runs.push_back(request_of(answers()[i]));
  const auto results = run_batch(SB3LM_SOURCE_DIR, vm, {job});
  if (!results) return skip_without(vm);
  for (std::size_t i = 0; i < count; ++i) {
    CAPTURE(answers()[i].question);
    const BlockResult& got = results->at(0).at(i);
    CHECK(got.stop_reason == "stop token");
    CHECK(got.tokens == answers()[i].tokens);
    CHECK(got.text == "model: " + answers()[i].text);
  }
}

}  // namespace

TEST_CASE("dictionary cat: twenty answers in the double engine") {
  REQUIRE(answers().size() == 20);
  Engine engine(model(), kContext);
  std::vector<int> stop_ids = model().tokenizer.stop_ids;
  stop_ids.insert(stop_ids.end(), model().chat.stop_ids.begin(), model().chat.stop_ids.end());
  for (const Answer& answer : answers()) {
    CAPTURE(answer.question);
    const Generated got = generate(
        engine, answer.prompt,
        {.sampling = {.temperature = 0}, .max_new_tokens = kContext, .stop_ids = stop_ids});
    CHECK(got.stop_reason == "stop token");
    CHECK(got.tokens == answer.tokens);
    engine.reset();
  }
}

TEST_CASE("dictionary cat: twenty answers in the block evaluator") {
  REQUIRE(answers().size() == 20);
  SilentProgress silent;
  BlockSession session(read_sb3("cat.sb3", as_bytes(sb3())), silent);
  for (const Answer& answer : answers()) {
    CAPTURE(answer.question);
    const BlockResult got = session.run(request_of(answer), silent);
    CHECK(got.stop_reason == "stop token");
    CHECK(got.tokens == answer.tokens);
    CHECK(got.text == "model: " + answer.text);
  }
}

TEST_CASE("dictionary cat: twenty answers in TurboWarp") {
  check_vm("turbowarp", 20);
}

TEST_CASE("dictionary cat: one answer in scratch-vm") {
  check_vm("scratch", 1);
}
