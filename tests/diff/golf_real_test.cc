// nb7x384, a trained model of the parameter golf, says what its own program says: logits and greedy
// text in the double engine, and as a project in the block evaluator and both virtual machines.
// Needs SB3LM_TEST_DATA, a folder with parameter-golf/.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "pack.h"
#include "runtime_ref/engine.h"
#include "runtime_ref/generate.h"
#include "runtime_ref/verify.h"
#include "sb3/sb3.h"
#include "support/skip.h"
#include "support/vm_batch.h"

namespace {

using namespace sb3lm;
using namespace sb3lm::test;

constexpr int kContext = 64;  // of the project; the prompt and what follows it fit

struct Golf {
  Model model;
  std::vector<int> prompt, greedy;
  std::vector<double> logits;  // after the prompt, through float32
  std::string sb3;
};

std::optional<Golf> load_golf() {
  const char* data = std::getenv("SB3LM_TEST_DATA");
  const std::filesystem::path folder =
      std::filesystem::path(data == nullptr ? "" : data) / "parameter-golf";
  if (data == nullptr || !std::filesystem::exists(folder)) return std::nullopt;
  SilentProgress silent;
  // As its program loads it: the embedding through bfloat16.
  Golf golf{.model = load_model(folder / "nb7x384.int8.ptz",
                                {.conventions = {{"embedding-rounding", "bf16"}}},
                                {.float_bits = kStayFloats}, silent),
            .prompt = {},
            .greedy = {},
            .logits = {},
            .sb3 = {}};
  const MappedFile file(folder / "nb7x384.expected.json");
  const nlohmann::json expected = nlohmann::json::parse(file.text()).at("cases").at(0);
  expected.at("tokens").get_to(golf.prompt);
  expected.at("greedy").get_to(golf.greedy);
  expected.at("logits").get_to(golf.logits);
  golf.sb3 = pack(golf.model,
                  {.lower = {.context = kContext, .title = "golf"}, .bits = kStayFloats}, silent);
  return golf;
}

/// Null, and the test case is skipped, where the model is not there.
const Golf* golf() {
  static const std::optional<Golf> loaded = load_golf();
  if (!loaded) skip_case("SB3LM_TEST_DATA does not name a folder with parameter-golf");
  return loaded ? &*loaded : nullptr;
}

BlockRequest whole_run() {
  return {.tokens = golf()->prompt,
          .max_new_tokens = static_cast<int>(golf()->greedy.size()),
          .record_logits = 1};
}

/// Of Scratch's own machine, which takes a second and more for a token.
BlockRequest short_run() {
  return {.tokens = {golf()->prompt.begin(), golf()->prompt.begin() + 3},
          .max_new_tokens = 1,
          .record_logits = 1};
}

BlockResult in_evaluator(const BlockRequest& request) {
  SilentProgress silent;
  BlockSession session(read_sb3("golf.sb3", as_bytes(golf()->sb3)), silent);
  return session.run(request, silent);
}

const BlockResult& whole_in_evaluator() {
  static const BlockResult result = in_evaluator(whole_run());
  return result;
}

void check_vm(const char* vm, const BlockRequest& request, const BlockResult& want) {
  const auto results =
      run_batch(SB3LM_SOURCE_DIR, vm, {{.name = "nb7x384", .sb3 = golf()->sb3, .runs = {request}}});
  if (!results) return skip_without(vm);
  const BlockResult& got = results->at(0).at(0);
  CHECK(got.tokens == want.tokens);
  REQUIRE(got.logits.size() == want.logits.size());
  CHECK(same_bits(got.logits, want.logits));
}

/// The largest difference, of the largest logit.
double difference(std::span<const double> got, std::span<const double> want) {
  REQUIRE(got.size() == want.size());
  double largest = 0, worst = 0;
  for (std::size_t i = 0; i < want.size(); ++i) {
    largest = std::max(largest, std::fabs(want[i]));
    worst = std::max(worst, std::fabs(got[i] - want[i]));
  }
  return worst / largest;
}

}  // namespace

TEST_CASE("nb7x384 in the double engine") {
  if (golf() == nullptr) return;
  Engine engine(golf()->model);
  const Generated told = generate(engine, golf()->prompt,
                                  {.max_new_tokens = static_cast<int>(golf()->greedy.size()),
                                   .record = RecordLogits::generated});
  CHECK(told.tokens == golf()->greedy);
  CHECK(difference(told.logits.at(0), golf()->logits) < 1e-6);
}

TEST_CASE("nb7x384 without its embedding's rounding is another model, a little") {
  if (golf() == nullptr) return;
  const std::filesystem::path file =
      std::filesystem::path(std::getenv("SB3LM_TEST_DATA")) / "parameter-golf/nb7x384.int8.ptz";
  SilentProgress silent;
  const Model model = load_model(file, {}, {.float_bits = kStayFloats}, silent);
  Engine engine(model);
  std::span<const double> logits;
  for (const int token : golf()->prompt) logits = engine.step(token);
  CHECK(difference(logits, golf()->logits) > 1e-4);
  CHECK(difference(logits, golf()->logits) < 1e-2);
}

TEST_CASE("nb7x384 in the block evaluator") {
  if (golf() == nullptr) return;
  const BlockResult& told = whole_in_evaluator();
  CHECK(told.tokens == golf()->greedy);
  REQUIRE(told.logits.size() >= golf()->logits.size());
  CHECK(difference(std::span(told.logits).first(golf()->logits.size()), golf()->logits) < 1e-6);
}

TEST_CASE("nb7x384 in TurboWarp") {
  if (golf() == nullptr) return;
  check_vm("turbowarp", whole_run(), whole_in_evaluator());
}

TEST_CASE("nb7x384 in scratch-vm") {
  if (golf() == nullptr) return;
  check_vm("scratch", short_run(), in_evaluator(short_run()));
}
