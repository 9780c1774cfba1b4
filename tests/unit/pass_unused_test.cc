// What no block and no monitor names goes; everything else stays.
#include "scratch/pass_unused.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "support/programs.h"

namespace {

using namespace sb3lm;
using namespace sb3lm::test;

template <class Named>
std::vector<std::string> names(const std::vector<Named>& all) {
  std::vector<std::string> found;
  for (const Named& one : all) found.push_back(one.name);
  return found;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("private variables and lists that nothing uses are dropped") {
  scratch::Program program = empty_program();
  scratch::Target& sprite = program.targets.back();
  sprite.variables = {{"_set"}, {"_read"}, {"_unused"}, {"public"}, {"_deep"}, {"_watched"}};
  sprite.lists = {{"_read list"}, {"_unused list"}, {"_added"}, {"list"}};
  program.targets.front().variables = {{"_from the sprite"}, {"_nobody"}};
  program.monitors.push_back({.target = sprite.name, .name = "_watched"});
  sprite.procedures.push_back({.code = "work",
                               .body = stack(set("_set", var("_read")), append(num(1), "_added"),
                                             set("_from the sprite", item(num(1), "_read list")))});
  sprite.scripts.push_back(on_flag(stack(
      repeat(num(2), stack(if_then(block(Op::less, var("_deep"), num(1)), stack(call("work"))))))));
  scratch::drop_unused(program);
  CHECK(names(sprite.variables) == Names{"_set", "_read", "public", "_deep", "_watched"});
  CHECK(names(sprite.lists) == Names{"_read list", "_added", "list"});
  CHECK(names(program.targets.front().variables) == Names{"_from the sprite"});
}

TEST_CASE("a variable does not keep a list of no use, nor the other way round, by text alone") {
  scratch::Program program = empty_program();
  scratch::Target& sprite = program.targets.back();
  sprite.variables = {{"_a"}};
  sprite.scripts.push_back(on_flag(stack(set("public", text("_a")))));
  sprite.variables.push_back({"public"});
  scratch::drop_unused(program);
  CHECK(names(sprite.variables) == Names{"public"});
}

TEST_CASE("a program that uses everything is left alone") {
  scratch::Program program = sample_program();
  const auto before = names(program.targets.back().variables);
  scratch::drop_unused(program);
  scratch::drop_unused(program);
  for (const std::string& name : before) {
    if (name.starts_with("_")) continue;
    const auto after = names(program.targets.back().variables);
    CHECK(std::find(after.begin(), after.end(), name) != after.end());
  }
}
