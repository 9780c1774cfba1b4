// Facts: what is said of a model and of single layers, who wins, and what is refused.
#include <doctest/doctest.h>

#include <cmath>

#include "base/error.h"
#include "import/facts.h"

using namespace sb3lm;

namespace {

/// Four layers whose numbers in the file are 0, 1, 2 and 5.
ModelSpec four_layers() {
  ModelSpec spec;
  for (const int id : {0, 1, 2, 5}) {
    spec.layers.emplace_back();
    spec.layers.back().id = id;
  }
  return spec;
}

std::vector<int> windows(const Facts& facts) {
  ModelSpec spec = four_layers();
  facts.apply(spec);
  std::vector<int> all;
  for (const LayerSpec& layer : spec.layers) all.push_back(layer.attention.window);
  return all;
}

std::vector<int> windows(std::string_view text) {
  Facts facts;
  facts.set("test", "window", text);
  return windows(facts);
}

}  // namespace

TEST_CASE("a value for all layers, and others for some, by their numbers in the file") {
  CHECK(windows("7") == std::vector{7, 7, 7, 7});
  CHECK(windows("0/8@0,2") == std::vector{8, 0, 8, 0});
  CHECK(windows("8@1-5") == std::vector{0, 8, 8, 8});
  CHECK(windows("8@3,4") == std::vector{0, 0, 0, 0});
  CHECK(windows("1/2@0-2/3@1") == std::vector{2, 3, 2, 1});
}

TEST_CASE("what is no layer, no value or no field is refused") {
  for (const std::string text : {"8@", "8@x", "8@2-1", "8@-1", "8@0,", "8@1000000"}) {
    CAPTURE(text);
    CHECK_THROWS_WITH_AS(windows(text), doctest::Contains("are no layers; they read like 0,2,4-10"),
                         Error);
  }
  for (const std::string text : {"", "/", "8/", "x@1", "8/-2@1"}) {
    CAPTURE(text);
    CHECK_THROWS_WITH_AS(windows(text), doctest::Contains("'window' cannot be"), Error);
  }
  Facts facts;
  CHECK_THROWS_WITH_AS(facts.set("test", "context", "64@1"),
                       doctest::Contains("'context' cannot be '64@1'"), Error);
  CHECK_THROWS_WITH_AS(facts.set("test", "windows", "64"),
                       doctest::Contains("there is no field 'windows'"), Error);
}

TEST_CASE("who says it last wins, if nobody above has said it") {
  Facts facts;
  facts.set("family", "window", "1", Saying::assumed);
  CHECK_FALSE(facts.is_stated("window"));
  facts.set("config.json", "window", "2/3@5");
  CHECK(facts.is_stated("window"));
  CHECK(facts.is_said_by_file("window"));
  facts.set("family", "window", "4", Saying::assumed);
  CHECK(windows(facts) == std::vector{2, 2, 2, 3});
  facts.set("--convention", "window", "5", Saying::user);
  facts.set("config.json", "window", "6");
  CHECK(windows(facts) == std::vector{5, 5, 5, 5});
  CHECK_FALSE(facts.is_said_by_file("window"));
  CHECK(facts.texts(Saying::user).at("window") == "5");
  CHECK(facts.texts(Saying::file).at("window") == "5");
}

TEST_CASE("numbers of layers hold to the last bit") {
  const double third = 1 / std::sqrt(3.0);
  Facts facts;
  facts.set("test", "norm-factor", fmt::format("1/{}@2", third));
  ModelSpec spec = four_layers();
  facts.apply(spec);
  CHECK(spec.layers[1].norm_factor == 1);
  CHECK(spec.layers[2].norm_factor == third);
}

TEST_CASE("tensors that show something else of one layer are named") {
  Facts facts;
  facts.set("--convention", "kv-heads", "2/4@1", Saying::user);
  ModelSpec shown = four_layers();
  for (LayerSpec& layer : shown.layers) layer.attention.kv_heads = 2;
  CHECK_THROWS_WITH_AS(facts.compare("model.pt", shown),
                       "--convention kv-heads is 2/4@1, but the tensors of model.pt show 2", Error);
  shown.layers[1].attention.kv_heads = 4;
  facts.compare("model.pt", shown);
}
