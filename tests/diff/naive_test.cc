// Builds with the naive kernel: one list item per weight, against the double engine.
#include <doctest/doctest.h>

#include "pack.h"
#include "quant/rtn.h"
#include "report/report.h"
#include "runtime_ref/block_eval.h"
#include "runtime_ref/generate.h"
#include "runtime_ref/verify.h"
#include "sb3/sb3.h"
#include "scratch/print.h"
#include "support/built_models.h"
#include "support/random_model.h"
#include "support/tiny_model.h"
#include "unpack/unpack.h"

namespace {

using namespace sb3lm;
using namespace sb3lm::test;

LowerOptions naive(const std::string& encoding = "hex") {
  return {.context = 40,
          .encoding = encoding,
          .title = "naive",
          .kernel = Kernel::naive,
          .version = "test"};
}

std::string pack_naive(const Model& model, const std::string& encoding = "hex") {
  SilentProgress silent;
  return pack(model, {.lower = naive(encoding), .deflate_level = 1}, silent);
}

void check_tokens(const Model& model, const std::string& sb3) {
  SilentProgress silent;
  BlockSession session(read_sb3("naive", as_bytes(sb3)), silent);
  const BlockRequest request = comparison_request(model);
  const BlockResult result = session.run(request, silent);
  CHECK(result.status == "ready");
  REQUIRE(result.tokens.size() > 0);
  Engine engine(model);
  const Agreement agreement =
      check_against_engine(engine, request.tokens, result.tokens, result.logits);
  INFO(agreement.first_difference);
  CHECK(agreement.ok);
  CHECK(agreement.max_rel_error < 1e-9);
}

// Every weight of a coded matrix is one item of `_codes`, exactly, in the order of the layout.
void check_numbers(const Model& model, const BlockEvaluator& evaluator) {
  const std::vector<double> numbers = evaluator.list_numbers("_codes");
  std::size_t at = 0;
  for (const auto& [key, shape] : expected_tensors(model.spec)) {
    const auto* coded = std::get_if<CodedTensor>(&model.at(key));
    if (coded == nullptr) continue;
    CAPTURE(tensor_key_text(key));
    for (int row = 0; row < shape.rows; ++row) {
      for (int col = 0; col < shape.cols; ++col) {
        REQUIRE(numbers.at(at++) == weight_at(*coded, row, col));
      }
    }
  }
  CHECK(at == numbers.size());
}

}  // namespace

TEST_CASE("naive builds compute the engine's logits") {
  for (const char* preset : {"tiny-moe", "tiny-moe-odd", "tiny-moe-untied", "tiny-dense"}) {
    CAPTURE(preset);
    Model model = tiny_model(preset);
    check_tokens(model, pack_naive(model));  // tiny-dense: float weights
    quantise_matrices(model, 5);             // of two digits each
    check_tokens(model, pack_naive(model));
  }
}

TEST_CASE("every width of codes becomes the plain numbers, and zeros again") {
  for (int bits = 1; bits <= 8; ++bits) {
    CAPTURE(bits);
    Model model = tiny_model("tiny-moe-odd");
    Random random(9);
    model.tensors[{Role::embedding}] =
        random_codes(random, {model.spec.vocabulary, model.spec.width}, bits);
    BlockEvaluator evaluator(read_sb3("naive", as_bytes(pack_naive(model))));
    const auto run_until = [&](const char* status) {
      REQUIRE(evaluator.run_until([&] { return evaluator.text("status") == status; }, 1000000));
    };
    evaluator.green_flag();
    run_until("ready");
    check_numbers(model, evaluator);
    evaluator.broadcast("unload");
    run_until("unloaded");
    for (const double item : evaluator.list_numbers("_codes")) REQUIRE(item == 0);
  }
}

TEST_CASE("the loop is not unrolled, and there are no tables") {
  const scratch::Program program = lower(tiny_model("tiny-moe"), naive());
  bool found = false;
  for (const scratch::Procedure& procedure : engine_of(program).procedures) {
    CHECK(!procedure.code.starts_with("table"));
    CHECK(!procedure.code.starts_with("rows"));
    if (!procedure.code.starts_with("naive codes")) continue;
    found = true;
    const std::string text = print_procedure(procedure);
    INFO(text);
    CHECK(text.find("change [_naive codes acc v] by ((item (_naive codes at) of [_codes v]) * "
                    "(item (_naive codes in) of [_act v]))") != std::string::npos);
  }
  CHECK(found);
}

TEST_CASE("model info tells what was packed, and a report counts it") {
  const Model model = tiny_model("tiny-moe-odd");
  const std::string sb3 = pack_naive(model);
  const Unpacked unpacked = unpack("naive", read_sb3("naive", as_bytes(sb3)));
  CHECK(unpacked.kernel == Kernel::naive);
  for (const auto& [key, tensor] : model.tensors) {
    const Shape shape = shape_of(tensor);
    for (int row = 0; row < shape.rows; ++row) {
      for (int col = 0; col < shape.cols; ++col) {
        REQUIRE(weight_at(unpacked.model.at(key), row, col) == weight_at(tensor, row, col));
      }
    }
  }
  std::size_t bytes = 0;
  for (const ComponentRow& row : make_report("naive", as_bytes(sb3)).components) {
    bytes += row.sb3_bytes;
  }
  CHECK(bytes == sb3.size());
}

TEST_CASE("only hex becomes numbers") {
  CHECK_THROWS_WITH_AS(pack_naive(tiny_model("tiny-moe"), "nibbles"), doctest::Contains("nibbles"),
                       Error);
}
