// That the evaluator knows the row kernel which a forward pass is made of: a sum of lookups whose
// places differ by constants runs as one loop over arrays of numbers. Where that is lost everything
// still computes the same, so that only a comparison with sums of another form tells.
#include <doctest/doctest.h>

#include <chrono>
#include <cmath>

#include "runtime_ref/block_eval.h"
#include "support/programs.h"

using namespace sb3lm;
using namespace sb3lm::test;

namespace {

constexpr int kTerms = 96, kRows = 20000;

using Lookup = NodePtr (*)(int);

// item (item (p + k) of B + 0) of T, as the row kernels write it.
NodePtr known_lookup(int k) {
  NodePtr code = item(add(var("p"), num(k)), "B");
  return item(add(std::move(code), num(0)), "T");
}

// The same item by an expression that the evaluator walks.
NodePtr other_lookup(int k) {
  NodePtr code = item(add(var("p"), num(k)), "B");
  return item(block(Op::divide, std::move(code), num(1)), "T");
}

scratch::Program kernel(Lookup lookup) {
  scratch::Program program = empty_program();
  scratch::Target& engine = program.targets[1];
  engine.variables = {{"p", 0.0}, {"row", 0.0}};
  engine.lists = {{"T", {}, 0}, {"B", {}, 0}, {"y", {}, kRows}};
  for (int i = 0; i < 24576; ++i) engine.lists[0].items.push_back(i * 0.37);
  for (int i = 0; i < kRows + kTerms; ++i) {
    engine.lists[1].items.push_back(static_cast<double>(1 + (i * 7919) % 24576));
  }
  NodePtr sum = lookup(1);
  for (int k = 2; k <= kTerms; ++k) sum = add(std::move(sum), lookup(k));
  engine.procedures.push_back(
      {"rows",
       {},
       true,
       stack(set("p", num(0)), set("row", num(1)),
             repeat(num(kRows), stack(with_fields(Op::list_replace, {"y"}, add(var("row"), num(0)),
                                                  std::move(sum)),
                                      change("p", num(1)), change("row", num(1)))))});
  engine.scripts.push_back(on_flag(stack(call("rows"))));
  return program;
}

double seconds(BlockEvaluator& evaluator) {
  const auto start = std::chrono::steady_clock::now();
  evaluator.green_flag();
  evaluator.step();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

TEST_CASE("the row kernel runs as a loop, much faster than other sums of the same lookups") {
  const scratch::Program program = kernel(known_lookup), other_program = kernel(other_lookup);
  BlockEvaluator known(program), other(other_program);
  double known_best = HUGE_VAL, other_best = HUGE_VAL;
  for (int round = 0; round < 5; ++round) {
    known_best = std::fmin(known_best, seconds(known));
    other_best = std::fmin(other_best, seconds(other));
  }
  const auto& table = program.targets[1].lists[0].items;
  const auto& codes = program.targets[1].lists[1].items;
  double expected = 0;
  for (int k = 0; k < kTerms; ++k) {
    const double code = std::get<double>(codes[static_cast<std::size_t>(1234 + k)]);
    expected += std::get<double>(table[static_cast<std::size_t>(code) - 1]);
  }
  CHECK(std::get<double>(known.list_item("y", 1234)) == expected);
  CHECK(std::get<double>(other.list_item("y", 1234)) == expected);
  MESSAGE("ns per lookup: " << known_best * 1e9 / (double{kTerms} * kRows) << ", in other sums "
                            << other_best * 1e9 / (double{kTerms} * kRows));
  CHECK(other_best > 2 * known_best);
}
