// Variables share a name where nothing that is still needed is lost.
#include "scratch/pass_share.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "support/programs.h"

namespace {

using namespace sb3lm;
using namespace sb3lm::test;

// Whether variables of the sprite became one.
bool share(scratch::Program program) {
  const auto& variables = program.targets.back().variables;
  const std::size_t before = variables.size();
  scratch::share_variables(program);
  return variables.size() < before;
}

// A sprite with `_a` and `_b`, numbers, and a public `out`.
scratch::Program program_of(scratch::Script script) {
  scratch::Program program = empty_program();
  program.targets.back().variables = {{"_a"}, {"_b"}, {"out"}};
  program.targets.back().scripts.push_back(std::move(script));
  return program;
}

bool share_in(Stack flag) {
  return share(program_of(on_flag(std::move(flag))));
}

scratch::NodePtr show(const std::string& name) {
  return set("out", var(name));
}

scratch::NodePtr stop(const std::string& what) {
  return with_fields(Op::stop, {what});
}

scratch::NodePtr otherwise(NodePtr condition, Stack then, Stack other) {
  NodePtr node = if_then(std::move(condition), std::move(then));
  node->op = Op::if_else;
  node->bodies.push_back(std::move(other));
  return node;
}

scratch::NodePtr loop_until(NodePtr condition, Stack body) {
  NodePtr node = block(Op::repeat_until, std::move(condition));
  node->bodies.push_back(std::move(body));
  return node;
}

NodePtr is_one(const std::string& name) {
  return block(Op::equal, var(name), num(1));
}

}  // namespace

TEST_CASE("one variable serves after the other, not during it") {
  CHECK(share_in(stack(set("_a", num(1)), show("_a"), set("_b", num(2)), show("_b"))));
  CHECK(share_in(stack(set("_a", num(1)), set("_b", var("_a")), show("_b"))));
  CHECK_FALSE(share_in(stack(set("_a", num(1)), set("_b", num(2)), show("_a"), show("_b"))));
  CHECK_FALSE(share_in(stack(set("_a", num(1)), set("_b", num(2)), show("_a"))));
  CHECK_FALSE(share_in(stack(set("_a", num(1)), set("_b", num(0)), change("_b", var("_a")),
                             change("_b", var("_a")))));
}

TEST_CASE("what may be read before it is set stays alone") {
  CHECK_FALSE(share_in(stack(change("_a", num(1)), show("_a"), set("_b", num(2)), show("_b"))));
  CHECK_FALSE(share_in(stack(if_then(is_one("out"), stack(set("_a", num(1)))), show("_a"),
                             set("_b", num(2)), show("_b"))));
  CHECK(share_in(stack(otherwise(is_one("out"), stack(set("_a", num(1))), stack(set("_a", num(2)))),
                       show("_a"), set("_b", num(2)), show("_b"))));
}

TEST_CASE("a loop's next turn may need what this one leaves") {
  const auto turns = [](NodePtr times) {
    return stack(set("_a", num(0)), repeat(std::move(times), stack(change("_a", num(1)),
                                                                   set("_b", num(2)), show("_b"))));
  };
  CHECK_FALSE(share_in(turns(num(3))));
  const auto until = [](const std::string& tested) {
    return stack(
        set("_a", num(0)), set("_b", num(0)),
        loop_until(is_one(tested), stack(set("_b", num(2)), show("_b"), set("_b", num(1)))));
  };
  CHECK_FALSE(share_in(until("_a")));
  CHECK(share_in(until("_b")));
  // Set in each turn, read after the loop: only a loop that surely turns sets it.
  const auto after = [](NodePtr times) {
    return stack(repeat(std::move(times), stack(set("_a", num(1)))), show("_a"), set("_b", num(2)),
                 show("_b"));
  };
  CHECK(share_in(after(num(2))));
  CHECK_FALSE(share_in(after(num(0))));
  CHECK_FALSE(share_in(after(var("out"))));
}

TEST_CASE("procedures: what a caller needs later, on its own way only") {
  const auto program = [](Stack first, Stack second, Stack body) {
    scratch::Program made = program_of(on_flag(stack(call("one"), call("two"))));
    auto& procedures = made.targets.back().procedures;
    procedures.push_back({.code = "one", .body = std::move(first)});
    procedures.push_back({.code = "two", .body = std::move(second)});
    procedures.push_back({.code = "work", .body = std::move(body)});
    return made;
  };
  const auto work = [] { return stack(set("_b", num(2)), show("_b")); };
  CHECK_FALSE(share(program(stack(set("_a", num(1)), call("work"), show("_a")), {}, work())));
  CHECK(share(
      program(stack(set("_a", num(1)), show("_a"), call("work")), stack(call("work")), work())));
  // After the same procedure, one caller needs `_a`, the other one `_b`.
  CHECK(share(program(stack(set("_a", num(1)), call("work"), show("_a")),
                      stack(set("_b", num(1)), call("work"), show("_b")),
                      stack(set("out", num(2))))));
  // A procedure that may end early leaves what it would have set.
  CHECK_FALSE(
      share(program(stack(call("work"), show("_a"), set("_b", num(1)), show("_b")), {},
                    stack(if_then(is_one("out"), stack(stop("this script"))), set("_a", num(1))))));
  CHECK(share(program(stack(call("work"), show("_a"), set("_b", num(1)), show("_b")), {},
                      stack(if_then(is_one("out"), stack(stop("all"))), set("_a", num(1))))));
}

TEST_CASE("scripts that may run in between share nothing, but heirs of each other do") {
  const auto program = [](bool endless) {
    NodePtr loop = block(endless ? Op::forever : Op::repeat);
    if (!endless) loop->inputs.push_back(num(10));
    loop->bodies.push_back(stack(set("_b", num(1)), show("_b")));
    scratch::Program made =
        program_of(on_flag(stack(set("_a", num(1)), show("_a"), call("serve"))));
    scratch::Target& sprite = made.targets.back();
    sprite.scripts.push_back(on_message("go", stack(call("serve"))));
    sprite.procedures.push_back({.code = "serve", .warp = false, .body = stack(std::move(loop))});
    return made;
  };
  CHECK(share(program(true)));
  CHECK_FALSE(share(program(false)));
}

TEST_CASE("what people see, and another kind of value, stays as it is") {
  const auto blocks = [] {
    return on_flag(stack(set("_a", num(1)), show("_a"), set("_b", num(2)), show("_b")));
  };
  scratch::Program texts = program_of(blocks());
  texts.targets.back().variables[0].value = std::string();
  CHECK_FALSE(share(std::move(texts)));
  scratch::Program watched = program_of(blocks());
  watched.monitors.push_back({.target = watched.targets.back().name, .name = "_a"});
  CHECK_FALSE(share(std::move(watched)));
  scratch::Program shown = program_of(blocks());
  shown.targets.back().scripts[0].body.push_back(with_fields(Op::show_variable, {"_a"}));
  CHECK_FALSE(share(std::move(shown)));
  scratch::Program open = program_of(blocks());
  scratch::share_variables(open);
  CHECK(open.targets.back().variables.back().name == "out");
}

TEST_CASE("names say what is shared, if enough share it") {
  scratch::Program program = program_of(on_flag({}));
  scratch::Target& sprite = program.targets.back();
  sprite.variables.clear();
  program.targets.front().variables.push_back({"_at"});
  for (const char* name : {"_row at", "_key at", "_text at", "_sum", "_q 1", "_q 2", "_head at"}) {
    sprite.variables.push_back({name});
  }
  for (const auto& variable : sprite.variables) {
    sprite.scripts[0].body.push_back(set(variable.name, num(1)));
  }
  scratch::share_variables(program);
  REQUIRE(sprite.variables.size() == 2);
  CHECK(sprite.variables[0].name == "_at 2");
  CHECK(sprite.variables[1].name == "_number");
  CHECK(sprite.scripts[0].body.front()->fields[0] == "_at 2");
  CHECK(sprite.scripts[0].body.back()->fields[0] == "_at 2");
}
