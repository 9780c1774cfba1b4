// Projects for Scratch's website: nothing is preloaded, everything is added at the green flag, and
// the file holds the model that went in.
#include <doctest/doctest.h>

#include "base/error.h"
#include "kernels/columns.h"
#include "lower/column_layout.h"
#include "quant/rtn.h"
#include "report/limits.h"
#include "report/report.h"
#include "runtime_ref/block_eval.h"
#include "sb3/sb3.h"
#include "scratch/player_limits.h"
#include "support/built_models.h"
#include "support/tiny_model.h"
#include "unpack/unpack.h"

namespace {

using namespace sb3lm;
using namespace sb3lm::test;

constexpr int kContext = 40;

std::int64_t items(const BlockEvaluator& evaluator, const scratch::Program& program) {
  std::int64_t sum = 0;
  for (const scratch::List& list : engine_of(program).lists) {
    if (list.size() == 0) sum += static_cast<std::int64_t>(evaluator.list_size(list.name));
  }
  return sum;
}

}  // namespace

TEST_CASE("it keeps the website's limits, and nothing is preloaded") {
  const BuiltModel built = build_tiny_site("tiny-moe-odd", "", kContext);
  CHECK(over_limits(BuildTarget::site, as_bytes(built.sb3)) == std::vector<std::string>{});
  const scratch::Program program = read_sb3("site", as_bytes(built.sb3));
  CHECK(count_program_blocks(program) <= 3500);
  for (const scratch::Target& target : program.targets) {
    for (const scratch::List& list : target.lists) {
      CAPTURE(list.name);
      if (list.items.empty()) CHECK(list.zeros < 200);
    }
  }
}

TEST_CASE("the model comes out as it went in, and every byte is accounted for") {
  for (const char* preset : {"tiny-moe-odd", "tiny-moe-gated"}) {
    CAPTURE(preset);
    const BuiltModel built = build_tiny_site(preset, "", kContext);
    const Unpacked unpacked = unpack("site", read_sb3("site", as_bytes(built.sb3)));
    CHECK(unpacked.kernel == Kernel::columns);
    for (const auto& [key, tensor] : built.model.tensors) {
      CAPTURE(tensor_key_text(key));
      const Shape shape = shape_of(tensor);
      for (int row = 0; row < shape.rows; ++row) {
        for (int col = 0; col < shape.cols; ++col) {
          REQUIRE(weight_at(unpacked.model.at(key), row, col) == weight_at(tensor, row, col));
        }
      }
    }
    std::size_t bytes = 0;
    for (const ComponentRow& row : make_report("site", as_bytes(built.sb3)).components) {
      bytes += row.sb3_bytes;
    }
    CHECK(bytes == built.sb3.size());
  }
}

TEST_CASE("U before saving empties every list, and the green flag fills them again") {
  const BuiltModel built = build_tiny_site("tiny-moe-odd", "", kContext);
  const scratch::Program program = read_sb3("site", as_bytes(built.sb3));
  BlockEvaluator evaluator(read_sb3("site", as_bytes(built.sb3)));
  const auto run_until = [&](const char* status) {
    REQUIRE(evaluator.run_until([&] { return evaluator.text("status") == status; }, 1000000));
  };
  evaluator.green_flag();
  run_until("ready");
  const std::int64_t loaded = items(evaluator, program);
  CHECK(loaded > 10000);
  evaluator.press_key("u");
  run_until("unloaded");
  CHECK(items(evaluator, program) == 0);
  evaluator.green_flag();
  run_until("ready");
  CHECK(items(evaluator, program) == loaded);
}

TEST_CASE("columns: as many as are cheapest, more where lists would grow too long") {
  CHECK(choose_columns({{1000, 96}, {1000, 32}}, kMostListItems) == 32);
  CHECK(choose_columns({{1000, 8}}, kMostListItems) == 8);
  const int more = choose_columns({{190000, 96}}, kMostListItems);
  CHECK(more == 96);
  CHECK(choose_columns({{190000, 97}}, kMostListItems) == 0);
}

TEST_CASE("what cannot be loaded by adding is refused") {
  Model model = tiny_model("tiny-moe");
  CHECK(column_context(model.spec, 100) == 100);
  CHECK(column_context(model.spec, 100000) == 200000 / (4 * 32 * 32) * 32);
  CHECK_THROWS_WITH_AS(make_column_layout(model, 100000), doctest::Contains("200000"), Error);
  model = tiny_model("tiny-dense");
  quantise_matrices(model, 8);
  CHECK_THROWS_WITH_AS(make_column_layout(model, kContext), doctest::Contains("--bits 4"), Error);
}
