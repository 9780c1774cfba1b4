#include "support/fixtures.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "import/import.h"
#include "pack.h"
#include "runtime_ref/block_session.h"
#include "runtime_ref/engine.h"
#include "sb3/sb3.h"
#include "support/check_blocks.h"

namespace sb3lm::test {
namespace {

using nlohmann::json;

const std::string kFixtures = SB3LM_SOURCE_DIR "/tests/fixtures/";

std::string file_of(const std::string& name) {
  for (const char* ending : {".ptz", ".pt", ".safetensors"}) {
    if (std::filesystem::exists(kFixtures + name + ending)) return kFixtures + name + ending;
  }
  FAIL("no fixture " << name);
  return "";
}

}  // namespace

std::string Fixture::about() const {
  return json(conventions).dump();
}

std::vector<Fixture> fixture_cases(const std::string& name) {
  std::vector<Fixture> cases;
  for (const json& one : json::parse(MappedFile(kFixtures + name + ".json").text())) {
    cases.push_back({.conventions = one.at("conventions"),
                     .tokens = one.at("tokens"),
                     .logits = one.at("logits")});
  }
  return cases;
}

Model fixture_model(const std::string& name, const Fixture& fixture) {
  const std::string path = file_of(name), config_path = kFixtures + name + ".config.json";
  const MappedFile file(path);
  std::optional<MappedFile> config;
  CheckpointFiles files{.checkpoint = {path, file.bytes()}};
  if (std::filesystem::exists(config_path)) {
    config.emplace(config_path);
    files.config = NamedBytes{"config.json", config->bytes()};
  }
  SilentProgress silent;
  return import_from_memory(files, fixture.conventions, silent);
}

double fixture_error(const Model& model, const Fixture& fixture) {
  Engine engine(model);
  const std::size_t first = fixture.tokens.size() - fixture.logits.size();
  double difference = 0, largest = 0;
  for (std::size_t i = 0; i < fixture.tokens.size(); ++i) {
    const auto logits = engine.step(fixture.tokens[i]);
    if (i < first) continue;
    const std::vector<double>& want = fixture.logits[i - first];
    REQUIRE(logits.size() == want.size());
    for (std::size_t id = 0; id < logits.size(); ++id) {
      difference = std::max(difference, std::fabs(logits[id] - want[id]));
      largest = std::max(largest, std::fabs(want[id]));
    }
  }
  REQUIRE(largest > 1);
  return difference / largest;
}

double fixture_block_error(const Model& model, const Fixture& fixture) {
  SilentProgress silent;
  const auto count = fixture.tokens.size();
  const int context = std::min(static_cast<int>(count) + 24, model.spec.context);
  const std::string sb3 = pack(model, {.lower = {.context = context}, .deflate_level = 1}, silent);
  const scratch::Program program = read_sb3("fixture.sb3", as_bytes(sb3));
  check_blocks(model, program);
  BlockSession session(program, silent);
  const BlockResult result =
      session.run({.tokens = fixture.tokens, .max_new_tokens = 1, .record_logits = 2}, silent);
  CHECK(result.status == "ready");
  const auto vocabulary = static_cast<std::size_t>(model.spec.vocabulary);
  REQUIRE(result.logits.size() == count * vocabulary);
  double difference = 0;
  for (std::size_t i = 0; i < fixture.logits.size() * vocabulary; ++i) {
    const std::size_t at = (count - fixture.logits.size()) * vocabulary + i;
    const double want = fixture.logits[i / vocabulary][i % vocabulary];
    difference = std::max(difference, std::fabs(result.logits[at] - want));
  }
  return difference;
}

}  // namespace sb3lm::test
