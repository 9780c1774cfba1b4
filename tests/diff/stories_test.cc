// stories260K tells the story that llama2.c's own run.c tells: in the double engine, and as a
// project in the block evaluator and both virtual machines. Needs SB3LM_TEST_DATA, a folder with
// stories260K/.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

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

struct Story {
  Model model;
  VmJob job;
  std::string text;  // run.c's, without the file's last line end
};

std::optional<Story> load_story() {
  const char* data = std::getenv("SB3LM_TEST_DATA");
  const std::filesystem::path folder =
      std::filesystem::path(data == nullptr ? "" : data) / "stories260K";
  if (data == nullptr || !std::filesystem::exists(folder)) return std::nullopt;
  SilentProgress silent;
  Model model = load_model(folder / "stories260K.bin", {.tokenizer = folder / "tok512.bin"},
                           {.float_bits = kStayFloats}, silent);
  std::string sb3 =
      pack(model, {.lower = {.context = 257, .title = "stories"}, .bits = kStayFloats}, silent);
  const MappedFile file(folder / "greedy-256.txt");
  REQUIRE(file.text().ends_with('\n'));
  return Story{.model = std::move(model),
               .job = {.name = "stories260K",
                       .sb3 = std::move(sb3),
                       .runs = {{.tokens = {1}, .max_new_tokens = 256, .record_logits = 1}}},
               .text = std::string(file.text().substr(0, file.text().size() - 1))};
}

/// Null, and the test case is skipped, where the model is not there.
const Story* story() {
  static const std::optional<Story> loaded = load_story();
  if (!loaded) skip_case("SB3LM_TEST_DATA does not name a folder with stories260K");
  return loaded ? &*loaded : nullptr;
}

const BlockResult& in_evaluator() {
  static const BlockResult result = [] {
    SilentProgress silent;
    BlockSession session(read_sb3("stories.sb3", as_bytes(story()->job.sb3)), silent);
    return session.run(story()->job.runs[0], silent);
  }();
  return result;
}

void check_vm(const char* vm) {
  if (story() == nullptr) return;
  const auto results = run_batch(SB3LM_SOURCE_DIR, vm, {story()->job});
  if (!results) return skip_without(vm);
  const BlockResult& got = results->at(0).at(0);
  CHECK(got.text == "model: " + story()->text);
  CHECK(got.tokens == in_evaluator().tokens);
  CHECK(got.logits.size() == in_evaluator().logits.size());
  CHECK(same_bits(got.logits, in_evaluator().logits));
}

}  // namespace

TEST_CASE("the story in the double engine") {
  if (story() == nullptr) return;
  const Model& model = story()->model;
  Engine engine(model);
  const Generated told = generate(engine, {model.tokenizer.bos},
                                  {.max_new_tokens = 256, .record = RecordLogits::generated});
  double nearest = 1;
  for (const auto& row : told.logits) nearest = std::min(nearest, top1_margin(row));
  INFO("nearest greedy choice: ", nearest);
  CHECK(told.tokens.size() == 256);
  CHECK(decode(model.tokenizer, told.tokens) == story()->text);
  CHECK(nearest > 1e-6);  // far enough apart for float32 and double to agree
}

TEST_CASE("the story in the block evaluator") {
  if (story() == nullptr) return;
  CHECK(in_evaluator().status == "ready");
  CHECK(in_evaluator().tokens.size() == 256);
  CHECK(in_evaluator().text == "model: " + story()->text);
}

TEST_CASE("the story in scratch-vm") {
  check_vm("scratch");
}

TEST_CASE("the story in TurboWarp") {
  check_vm("turbowarp");
}
