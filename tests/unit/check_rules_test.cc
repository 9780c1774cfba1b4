// One good program, and for each rule of the checker the smallest change that breaks it.
#include <doctest/doctest.h>

#include "base/error.h"
#include "scratch/check.h"
#include "scratch/expr.h"
#include "support/programs.h"

using namespace sb3lm;
using namespace sb3lm::test;
using scratch::Program;

namespace {

Program good() {
  Program program = empty_program();
  program.broadcasts = {"go"};
  scratch::Target& engine = program.targets[1];
  engine.variables = {{"_p", 0.0}};
  engine.lists = {{"_t", {1.0, 2.0}, 8}};
  engine.procedures.push_back(
      {"step %s",
       {{"n", false}},
       true,
       stack(set("_p", add(item(add(argument("n"), num(0)), "_t"), item(num(10), "_t"))))});
  NodePtr one = num(1);
  engine.scripts.push_back(on_message("go", stack(call("step %s", {&one}))));
  return program;
}

// Whether exactly one fault is found, and it says `text`.
bool finds(const Program& program, const std::string& text) {
  const std::vector<std::string> faults = check_program(program);
  for (const std::string& fault : faults) INFO(fault);
  CHECK(faults.size() == 1);
  return !faults.empty() && faults[0].find(text) != std::string::npos;
}

Program with_block(NodePtr block) {
  Program program = good();
  program.targets[1].scripts[0].body.push_back(std::move(block));
  return program;
}

NodePtr math(const char* function) {
  return with_fields(Op::math, {function}, var("_p"));
}

}  // namespace

TEST_CASE("a sound program has no faults") {
  CHECK(check_program(good()).empty());
  CHECK_NOTHROW(require_valid(good()));
  CHECK(check_program(sample_program()).size() <= 1);  // its procedure "row" reads a short list
}

TEST_CASE("names must resolve and be unique") {
  CHECK(finds(with_block(set("q", num(1))), "'q' is unknown"));
  CHECK(finds(with_block(append(num(1), "l")), "'l' is unknown"));
  CHECK(finds(with_block(block(Op::broadcast, text("stop"))), "'stop' is unknown"));
  CHECK(finds(with_block(call("walk")), "'walk' is not defined"));
  CHECK(finds(with_block(set("_p", argument("n"))), "argument 'n' is unknown"));
  Program twice = good();
  twice.targets[0].variables = {{"_p", 0.0}};
  CHECK(finds(twice, "exists twice"));
}

TEST_CASE("blocks must fit their rows") {
  CHECK(finds(with_block(block(Op::wait)), "wait with 0 inputs instead of 1"));
  CHECK(finds(with_block(block(Op::wait_until, num(1))), "literal_number is the condition"));
  CHECK(finds(with_block(set("_p", block(Op::show))), "show inside set_variable"));
  CHECK(finds(with_block(num(1)), "something else than a command"));
  Program program = good();
  program.targets[1].procedures[0].parameters.clear();
  CHECK(check_program(program).size() == 2);  // the argument is gone, too
}

TEST_CASE("nothing may differ from browser to browser") {
  for (const char* function : {"e ^", "ln", "log", "10 ^", "sin", "tan", "atan"}) {
    CHECK(finds(with_block(set("_p", math(function))), "not the same in every browser"));
  }
  for (const char* function : {"abs", "floor", "ceiling", "sqrt"}) {
    CHECK(check_program(with_block(set("_p", math(function)))).empty());
  }
  CHECK(finds(with_block(set("_p", block(Op::random, num(1), num(2)))), "pick random"));
  CHECK(check_program(with_block(set("_p", math("sin"))), {.foreign = {"engine"}}).empty());
}

TEST_CASE("nesting and stacks are bounded") {
  NodePtr right = var("_p"), left = var("_p");
  for (int i = 0; i < 260; ++i) right = add(num(1), std::move(right));
  for (int i = 0; i < 390; ++i) left = add(std::move(left), num(1));
  CHECK(finds(with_block(set("_p", std::move(right))), "deep; 250 is safe"));
  CHECK(check_program(with_block(set("_p", scratch::clone(*left)))).empty());
  for (int i = 0; i < 20; ++i) left = add(std::move(left), num(1));
  CHECK(finds(with_block(set("_p", std::move(left))), "a chain of 410 terms"));
  Program program = good();
  for (int i = 0; i < 1000; ++i) program.targets[1].scripts[0].body.push_back(change("_p", num(1)));
  CHECK(finds(program, "a stack of 1001 blocks"));
  program = with_block(with_fields(Op::stop, {"this script"}));
  program.targets[1].scripts[0].body.push_back(change("_p", num(1)));
  CHECK(finds(program, "blocks under stop"));
}

TEST_CASE("lists keep their limits") {
  Program program =
      with_block(append((sb3lm::blocks::Expr<sb3lm::blocks::Num>(1) + 0).take(), "_t"));
  CHECK(check_program(program).empty());
  program.targets[1].lists[0].zeros = 250000;
  CHECK(finds(program, "scratch-vm ignores `add`"));
  CHECK(finds(with_block(set("_p", item(num(11), "_t"))), "item 11 of '_t', which has 10"));
  CHECK(finds(with_block(set("_p", item(num(0), "_t"))), "item 0 of '_t'"));
}

TEST_CASE("nothing lies around unused") {
  Program program = good();
  program.targets[1].procedures.push_back({"lost", {}, true, {}});
  CHECK(finds(program, "is never called"));
  program = good();
  program.targets[1].variables.push_back({"_q", 0.0});
  program.targets[1].variables.push_back({"public", 0.0});
  CHECK(finds(program, "'_q' is never used"));
}

TEST_CASE("a procedure holds no more lookups than browsers optimise") {
  Program program = good();
  const auto lookups = [](int count) {
    NodePtr sum = num(0);
    for (int i = 0; i < count; ++i) {
      sum = add(std::move(sum), item(add(item(add(var("_p"), num(i)), "_t"), num(0)), "_t"));
    }
    return set("_p", std::move(sum));
  };
  program.targets[1].scripts[0].body.push_back(lookups(200));
  program.targets[1].scripts[0].body.push_back(lookups(184));
  CHECK(check_program(program).empty());
  program.targets[1].scripts[0].body.push_back(lookups(1));
  CHECK(finds(program, "385 table lookups"));
}

TEST_CASE("require_valid is an internal error") {
  CHECK_THROWS_AS(require_valid(with_block(set("q", num(1)))), Error);
}
