// How fast the evaluator runs the row kernel that a forward pass is made of. It checks the sum, and
// prints the time; only a very slow machine or a debug build fails it.
#include <doctest/doctest.h>

#include <chrono>

#include "runtime_ref/block_eval.h"
#include "support/programs.h"

using namespace sb3lm;
using namespace sb3lm::test;

namespace {

constexpr int kTerms = 96, kRows = 20000;

NodePtr lookup(int k) {
  NodePtr code = item(add(var("p"), num(k)), "B");
  return item(add(std::move(code), num(0)), "T");
}

scratch::Program kernel() {
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

}  // namespace

TEST_CASE("a lookup term takes nanoseconds") {
  const scratch::Program program = kernel();
  BlockEvaluator evaluator(program);
  double best = 1e9;
  for (int round = 0; round < 5; ++round) {
    const auto start = std::chrono::steady_clock::now();
    evaluator.green_flag();
    evaluator.step();
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
    best = std::min(best, spent.count());
  }
  const auto& table = program.targets[1].lists[0].items;
  const auto& codes = program.targets[1].lists[1].items;
  double expected = 0;
  for (int k = 0; k < kTerms; ++k) {
    const double code = std::get<double>(codes[static_cast<std::size_t>(1234 + k)]);
    expected += std::get<double>(table[static_cast<std::size_t>(code) - 1]);
  }
  CHECK(std::get<double>(evaluator.list_item("y", 1234)) == expected);
  const double ns = best * 1e9 / (double{kTerms} * kRows);
  MESSAGE("ns per lookup term: " << ns);
  CHECK(ns < 500);
}
