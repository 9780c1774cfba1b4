// Models whose codes fill several lists: the same logits, bit for bit, as with one.
#include <doctest/doctest.h>

#include <algorithm>

#include "lower/layout.h"
#include "lower/lower.h"
#include "pack.h"
#include "quant/rtn.h"
#include "runtime_ref/block_eval.h"
#include "runtime_ref/block_session.h"
#include "sb3/sb3.h"
#include "support/built_models.h"
#include "support/tiny_model.h"
#include "unpack/unpack.h"

namespace {

using namespace sb3lm;
using namespace sb3lm::test;

SilentProgress silent;

std::string pack_in_lists(const Model& model, std::int64_t most_codes) {
  return pack(model, {.lower = {.context = 40, .most_codes = most_codes}, .deflate_level = 1},
              silent);
}

BlockResult run_blocks(const std::string& sb3, const Model& model) {
  BlockSession session(read_sb3("lists", as_bytes(sb3)), silent);
  return session.run(comparison_request(model), silent);
}

std::size_t lists_of_codes(const scratch::Program& program) {
  std::size_t count = 0;
  for (const scratch::List& list : engine_of(program).lists) {
    if (list.name != "_codes" && !list.name.starts_with("_more codes")) continue;
    CHECK(list.size() == 0);
    ++count;
  }
  return count;
}

}  // namespace

TEST_CASE("several lists of codes compute what one does") {
  for (const char* preset : {"tiny-moe", "tiny-moe-untied", "tiny-moe-odd"}) {
    CAPTURE(preset);
    const Model model = tiny_model(preset);
    const Layout whole = make_layout(model, 40, "digits");
    std::int64_t largest = 0;
    for (const TensorPlace& place : whole.tensors) {
      largest =
          std::max(largest, std::int64_t{place.groups()} * place.format.bits * place.shape.rows);
    }
    const BlockResult one = run_blocks(pack_in_lists(model, 0), model);
    REQUIRE(one.status == "ready");
    for (const std::int64_t most : {largest, std::max(largest, whole.codes - 1)}) {
      CAPTURE(most);
      const std::string sb3 = pack_in_lists(model, most);
      const scratch::Program program = read_sb3("lists", as_bytes(sb3));
      CHECK(lists_of_codes(program) >= 2);
      const BlockResult several = run_blocks(sb3, model);
      CHECK(several.status == "ready");
      CHECK(several.tokens == one.tokens);
      CHECK(several.logits == one.logits);
      CHECK(unpack("lists", program).model.tensors.size() == model.tensors.size());
    }
    CHECK_THROWS_WITH_AS(make_layout(model, 40, "digits", largest - 1),
                         doctest::Contains("more than the"), Error);
  }
}

TEST_CASE("what adds no more than 200,000 items to a list says so") {
  const Model model = tiny_model("tiny-moe");
  BlockEvaluator evaluator(read_sb3("lists", as_bytes(pack_in_lists(model, 20000))));
  evaluator.green_flag();
  evaluator.run_until([&] { return evaluator.text("status").starts_with("error"); }, 1000);
  CHECK(evaluator.text("status") == "error: this model needs TurboWarp");
}

TEST_CASE("more text than players read is refused with the width that fits") {
  Model model = tiny_model("tiny-slimmoe");
  std::int64_t weights = 0;
  for (const auto& [key, tensor] : model.tensors) {
    if (is_vector(key.role) || is_router(key.role)) continue;
    weights += std::int64_t{shape_of(tensor).rows} * shape_of(tensor).cols;
  }
  quantise_matrices(model, 8);  // two letters for each weight
  const auto refused = [&](std::int64_t most, const char* message) {
    CHECK_THROWS_WITH_AS(lower(model, {.context = 40, .most_letters = most}),
                         doctest::Contains(message), Error);
  };
  refused(2 * weights - 1, "--bits 6 or a plan");
  refused(weights + weights / 8, "--bits 4 or a plan");
  refused(weights / 8, "no width makes them fit");
  const std::int64_t enough = 2 * weights + weights / 8;  // row scales and norms
  CHECK_NOTHROW(lower(model, {.context = 40, .most_letters = enough}));
}
