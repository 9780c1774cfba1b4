// The double engine's logits of the bundled model against those of an independent forward pass in
// PyTorch, which reads the packed file by itself (tools/train/oracle.py wrote logits.json).
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "pack.h"
#include "runtime_ref/engine.h"

namespace {

using namespace sb3lm;
using nlohmann::json;

const std::filesystem::path kFolder =
    std::filesystem::path(SB3LM_SOURCE_DIR) / "samples" / "dictionary-cat";

std::vector<std::vector<double>> engine_logits(const std::vector<int>& tokens) {
  SilentProgress silent;
  const Model model =
      load_model(kFolder / "model.safetensors", {}, {.float_bits = kStayFloats}, silent);
  Engine engine(model, 64);
  std::vector<std::vector<double>> rows;
  for (const int token : tokens) {
    const auto logits = engine.step(token);
    rows.emplace_back(logits.begin(), logits.end());
  }
  return rows;
}

// Relative to the largest logit of the position.
void check_precision(const json& fixture, const std::vector<std::vector<double>>& rows,
                     const char* precision, double tolerance) {
  CAPTURE(precision);
  const json& positions = fixture.at(precision).at("positions");
  REQUIRE(positions.size() > 0);
  for (const json& position : positions) {
    const auto at = position.at("position").get<std::size_t>();
    CAPTURE(at);
    const std::vector<double>& row = rows.at(at);
    const double largest = position.at("max_abs");
    double sum = 0, squares = 0, found = 0;
    for (const double logit : row) {
      sum += logit;
      squares += logit * logit;
      found = std::max(found, std::abs(logit));
    }
    const auto ids = position.at("ids").get<std::vector<std::size_t>>();
    const auto logits = position.at("logits").get<std::vector<double>>();
    REQUIRE(ids.size() == logits.size());
    REQUIRE(ids.size() >= 32);
    for (std::size_t i = 0; i < ids.size(); ++i) {
      CAPTURE(ids[i]);
      CHECK(std::abs(row.at(ids[i]) - logits[i]) <= tolerance * largest);
    }
    const double count = static_cast<double>(row.size());
    CHECK(std::abs(found - largest) <= tolerance * largest);
    CHECK(std::abs(sum - position.at("sum").get<double>()) <= tolerance * largest * count);
    CHECK(std::abs(squares - position.at("sum_of_squares").get<double>()) <=
          2 * tolerance * largest * largest * count);
  }
}

}  // namespace

TEST_CASE("dictionary cat: the double engine agrees with PyTorch") {
  const MappedFile file(kFolder / "logits.json");
  const json fixture = json::parse(file.text());
  const auto rows = engine_logits(fixture.at("tokens").get<std::vector<int>>());
  check_precision(fixture, rows, "float64", 1e-12);
  check_precision(fixture, rows, "float32", 1e-5);
}
