// Layers in another order: the same numbers as a model that has their weights in these places.
#include "model/passes.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "import/plan_file.h"
#include "runtime_ref/engine.h"
#include "runtime_ref/pass_search.h"
#include "support/tiny_model.h"

namespace {

using namespace sb3lm;

const std::vector<int> kTokens = {1, 5, 9, 2, 7, 30, 11, 4};

std::vector<std::vector<double>> logits_of(const Model& model) {
  Engine engine(model, static_cast<int>(kTokens.size()));
  std::vector<std::vector<double>> rows;
  for (const int token : kTokens) {
    const auto logits = engine.step(token);
    rows.emplace_back(logits.begin(), logits.end());
  }
  return rows;
}

/// With the weights of one layer in the place of another one's too, and run as often.
Model with_copied_layer(Model model, int from, int to) {
  for (auto& [key, tensor] : model.tensors) {
    if (key.layer != to) continue;
    TensorKey source = key;
    source.layer = from;
    tensor = model.at(source);
  }
  return model;
}

}  // namespace

TEST_CASE("a layer that runs twice is one whose weights stand in two places") {
  for (const char* preset : {"tiny-dense", "tiny-neox", "tiny-gguf"}) {
    CAPTURE(preset);
    const Model whole = tiny_model(preset);
    const std::vector<int> ids = pass_ids(whole.spec);
    REQUIRE(ids.size() >= 2);
    for (const int dropped : {0, 1}) {
      CAPTURE(dropped);
      const int instead = 1 - dropped;
      std::vector<int> passes = ids;
      std::ranges::replace(passes, ids[static_cast<std::size_t>(dropped)],
                           ids[static_cast<std::size_t>(instead)]);
      Model model = whole;
      take_passes(model, passes);
      CHECK(model.spec.layers.size() == whole.spec.layers.size() - 1);
      CHECK(pass_ids(model.spec) == passes);
      CHECK(model.tensors.size() == expected_tensors(model.spec).size());
      CHECK(model.names.size() == model.tensors.size());
      CHECK(model.source.tensors.size() < whole.source.tensors.size());
      CHECK(logits_of(model) == logits_of(with_copied_layer(whole, instead, dropped)));
      take_passes(model, passes);  // once more changes nothing
      CHECK(pass_ids(model.spec) == passes);
    }
  }
}

TEST_CASE("packed checkpoints say their layers and passes in metadata") {
  Model model = tiny_model("tiny-moe");
  std::vector<int> passes = pass_ids(model.spec);
  passes.back() = passes.front();
  take_passes(model, passes);
  CHECK(pass_ids(model.spec) == passes);
  for (const char* name : {"layer_ids", "pass_order"}) {
    const auto found = model.source.metadata.find(name);
    REQUIRE(found != model.source.metadata.end());
    CHECK(found->second.front() == '[');
  }
  CHECK(model.source.metadata.at("pass_order").ends_with(fmt::format(",{}]", passes.front())));
}

TEST_CASE(
    "layers that there are not, none at all, and passes with weights of their own are refused") {
  Model model = tiny_model("tiny-dense");
  CHECK_THROWS_WITH_AS(take_passes(model, {0, 77}), doctest::Contains("no layer 77"), Error);
  CHECK_THROWS_AS(take_passes(model, {}), Error);
  Model golf = tiny_model("tiny-golf585");
  REQUIRE(golf.spec.skips);
  std::vector<int> passes = pass_ids(golf.spec);
  std::ranges::reverse(passes);
  CHECK_THROWS_WITH_AS(take_passes(golf, passes), doctest::Contains("skips"), Error);
}

TEST_CASE("the search tries both neighbours of every layer and ranks by perplexity") {
  const Model model = tiny_model("tiny-dense");
  SilentProgress silent;
  const PassSearch one = search_passes(model, kTokens, 1, silent);
  const PassSearch two = search_passes(model, kTokens, 2, silent);
  const std::size_t layers = model.spec.layers.size();
  REQUIRE(one.trials.size() == 2 * (layers - 1));
  CHECK(one.tokens == static_cast<int>(kTokens.size()));
  CHECK(one.perplexity == two.perplexity);
  for (std::size_t i = 0; i < one.trials.size(); ++i) {
    const PassTrial& trial = one.trials[i];
    CHECK(trial.perplexity == two.trials[i].perplexity);
    CHECK(trial.weights > 0);
    if (i > 0) CHECK(trial.perplexity >= one.trials[i - 1].perplexity);
    CHECK(std::ranges::find(trial.passes, trial.dropped) == trial.passes.end());
    CHECK(trial.passes.size() == model.spec.passes.size());
  }
}

TEST_CASE("plans hold passes") {
  const Recipe recipe = read_plan("p", plan_text({.passes = {0, 1, 1, 3}}, {}));
  CHECK(recipe.passes == std::vector<int>{0, 1, 1, 3});
  for (const char* wrong : {R"([])", R"(3)", R"(["a"])"}) {
    CHECK_THROWS_WITH_AS(read_plan("p", fmt::format(R"({{"format": 1, "passes": {}}})", wrong)),
                         doctest::Contains("'passes'"), Error);
  }
}
