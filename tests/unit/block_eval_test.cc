// The evaluator's own interface. What blocks compute is compared with the virtual machines in
// tests/diff.
#include "runtime_ref/block_eval.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "support/programs.h"

using namespace sb3lm;
using namespace sb3lm::test;
using scratch::Scalar;

namespace {

scratch::Program with_script(Stack body) {
  scratch::Program program = empty_program();
  program.broadcasts = {"Go"};
  program.targets[0].variables = {{"n", 0.0}, {"t", std::string("x")}};
  program.targets[0].lists = {{"l", {1.0, std::string("2")}, 2}};
  program.targets[1].scripts.push_back(on_message("Go", std::move(body)));
  return program;
}

}  // namespace

TEST_CASE("values go in and come out") {
  BlockEvaluator evaluator(with_script(Stack()));
  evaluator.set_variable("t", std::string("0x10"));
  CHECK(evaluator.number("t") == 16);
  CHECK(evaluator.text("t") == "0x10");
  CHECK(evaluator.variable("n") == Scalar(0.0));
  CHECK(evaluator.list_size("l") == 4);
  CHECK(evaluator.list_item("l", 1) == Scalar(std::string("2")));
  CHECK(evaluator.list_numbers("l") == std::vector<double>{1, 2, 0, 0});
  evaluator.set_list("l", {std::string("a"), 5.0});
  CHECK(evaluator.list_item("l", 0) == Scalar(std::string("a")));
  CHECK(evaluator.list_size("l") == 2);
  CHECK_THROWS_AS(evaluator.number("nobody"), Error);
  CHECK_THROWS_AS(evaluator.list_item("l", 2), Error);
}

TEST_CASE("broadcast starts scripts, without regard to case; step runs them") {
  BlockEvaluator evaluator(with_script(stack(repeat(num(3), stack(change("n", num(1)))))));
  CHECK_FALSE(evaluator.step());
  evaluator.broadcast("gO");
  CHECK(evaluator.step());
  CHECK(evaluator.number("n") == 1);
  CHECK(evaluator.run_until([&] { return evaluator.number("n") == 3; }, 10));
  CHECK_FALSE(evaluator.run_until([] { return false; }, 10));
}

TEST_CASE("a question waits for its answer") {
  BlockEvaluator evaluator(
      with_script(stack(block(Op::ask, text("name?")), set("t", block(Op::answer)),
                        block(Op::ask, text("age?")), set("n", block(Op::answer)))));
  CHECK_FALSE(evaluator.answer("nobody asked"));
  evaluator.broadcast("Go");
  CHECK_FALSE(evaluator.step());
  CHECK(evaluator.question() == "name?");
  CHECK(evaluator.answer("Ada"));
  CHECK_FALSE(evaluator.step());
  CHECK(evaluator.text("t") == "Ada");
  CHECK(evaluator.question() == "age?");
  CHECK(evaluator.answer("36"));
  evaluator.step();
  CHECK(evaluator.number("n") == 36);
  CHECK(evaluator.question() == "");
}

TEST_CASE("waiting takes no real time") {
  BlockEvaluator evaluator(with_script(stack(block(Op::wait, num(3600)), set("n", num(1)))));
  evaluator.broadcast("Go");
  CHECK(evaluator.run_until([&] { return evaluator.number("n") == 1; }, 3));
}

TEST_CASE("lists stop growing at the limit of the machine that is asked for") {
  const auto grown = [](std::size_t limit) {
    scratch::Program program = with_script({});
    program.targets[1].procedures.push_back(
        {"fill", {}, true, stack(repeat(num(10), stack(append(num(7), "l"))))});
    program.targets[1].scripts[0].body.push_back(call("fill"));
    BlockEvaluator evaluator(program);
    evaluator.limit_lists(limit);
    evaluator.broadcast("Go");
    evaluator.step();
    return evaluator.list_size("l");
  };
  CHECK(grown(200000) == 14);
  CHECK(grown(9) == 9);
}

TEST_CASE("lists take texts and become numbers again") {
  BlockEvaluator evaluator(with_script(
      stack(append(text("word"), "l"), with_fields(Op::list_clear, {"l"}), append(num(0.5), "l"),
            append(num(-1), "l"), set("n", add(item(num(1), "l"), item(text("last"), "l"))))));
  evaluator.broadcast("Go");
  evaluator.step();
  CHECK(evaluator.number("n") == -0.5);
  CHECK(evaluator.list_numbers("l") == std::vector<double>{0.5, -1});
}

TEST_CASE("endless work is stopped, not endured") {
  scratch::Program program = with_script(stack(call("loop")));
  NodePtr forever = block(Op::forever);
  forever->bodies.push_back(stack(change("n", num(1))));
  program.targets[1].procedures.push_back({"loop", {}, true, stack(std::move(forever))});
  BlockEvaluator endless(program);
  endless.limit_blocks(1000);
  endless.broadcast("Go");
  CHECK_THROWS_WITH_AS(endless.step(), "a script ran 1000 blocks without a pause", Error);

  scratch::Program deep = with_script(stack(call("again")));
  deep.targets[1].procedures.push_back({"again", {}, true, stack(call("again"))});
  BlockEvaluator recursive(deep);
  recursive.broadcast("Go");
  CHECK_THROWS_AS(recursive.step(), Error);
}

TEST_CASE("programs that cannot run are refused when they are compiled") {
  const auto refused = [](NodePtr block) {
    CHECK_THROWS_AS(BlockEvaluator(with_script(stack(std::move(block)))), Error);
  };
  refused(set("nobody", num(1)));
  refused(append(num(1), "no list"));
  refused(call("undefined"));
  refused(set("n", block(Op::show)));
  refused(num(1));
  NodePtr deep = num(1);
  for (int i = 0; i < 5000; ++i) deep = block(Op::round, std::move(deep));
  refused(set("n", std::move(deep)));
}

TEST_CASE("answers that differ from run to run are refused") {
  BlockEvaluator evaluator(with_script(stack(set("n", item(text("random"), "l")))));
  evaluator.broadcast("Go");
  CHECK_THROWS_AS(evaluator.step(), Error);
}
