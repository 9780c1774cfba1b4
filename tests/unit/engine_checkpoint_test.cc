// The engine on checkpoints as the importer reads them: the two committed tiny ones, judged by
// tests/torch/forward.py.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "base/file.h"
#include "import/import.h"
#include "runtime_ref/engine.h"

using namespace sb3lm;
using nlohmann::json;

namespace {

constexpr double kTolerance = 1e-12;  // of the largest logit
const std::string kFixtures = SB3LM_SOURCE_DIR "/tests/fixtures/";

Model import(const std::filesystem::path& path, const ImportOptions& options) {
  SilentProgress progress;
  return import_model(path, options, progress);
}

/// Compares every position with the first case of the fixture `name`.json.
void check_logits(const Model& model, const std::string& name) {
  const json fixture = json::parse(MappedFile(kFixtures + name + ".json").text()).at(0);
  const auto want = fixture.at("logits").get<std::vector<std::vector<double>>>();
  Engine engine(model);
  for (std::size_t i = 0; i < want.size(); ++i) {
    const auto logits = engine.step(fixture.at("tokens")[i].get<int>());
    REQUIRE(logits.size() == want[i].size());
    double largest = 0;
    double difference = 0;
    for (std::size_t id = 0; id < logits.size(); ++id) {
      largest = std::max(largest, std::fabs(want[i][id]));
      difference = std::max(difference, std::fabs(logits[id] - want[i][id]));
    }
    CHECK(difference < kTolerance * largest);
  }
}

}  // namespace

TEST_CASE("the tiny packed mixture") {
  const Model model =
      import(kFixtures + "tiny-moe.safetensors", {.conventions = {{"heads", "4"},
                                                                  {"kv-heads", "2"},
                                                                  {"head-size", "8"},
                                                                  {"top-k", "2"},
                                                                  {"context", "64"}}});
  check_logits(model, "tiny-moe");
}

TEST_CASE("the tiny llama2.c model") {
  check_logits(import(kFixtures + "tiny-llama2c.bin", {}), "tiny-llama2c");
}
