// What the proof must not call agreement.
#include "runtime_ref/verify.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "support/tiny_model.h"

using namespace sb3lm;

TEST_CASE("a model that tells no token from another agrees with nobody") {
  Model model = tiny_model("tiny-dense");
  const std::vector<int> prompt = {1, 2};
  {
    Engine engine(model);
    const std::span<const double> row = engine.step(1);
    const std::vector<double> logits(row.begin(), row.end());
    CHECK(check_against_engine(engine, {1}, {}, logits).ok);
  }
  std::ranges::fill(std::get<FloatTensor>(model.tensors.at({Role::embedding})).values, 0.0F);
  Engine engine(model);
  const std::vector<double> zeros(2 * static_cast<std::size_t>(model.spec.vocabulary));
  const Agreement agreement = check_against_engine(engine, prompt, {}, zeros);
  CHECK_FALSE(agreement.ok);
  CHECK(agreement.first_difference.starts_with("position 0: all logits are 0: "));
}
