// What the editor opens first is small, and its menus are sorted already.
#include "scratch/pass_order.h"

#include <doctest/doctest.h>

#include "support/programs.h"

using namespace sb3lm;
using namespace sb3lm::test;

TEST_CASE("sprites go by their blocks, the stage stays first, and layers stay") {
  scratch::Program program;
  program.targets.push_back({.name = "Stage", .is_stage = true});
  const auto add_sprite = [&](const std::string& name, double blocks, int layer) {
    scratch::Target& sprite = program.targets.emplace_back();
    sprite.name = name;
    sprite.layer = layer;
    sprite.scripts.push_back(on_flag({}));
    for (double i = 0; i < blocks; ++i) sprite.scripts[0].body.push_back(set("v", num(i)));
  };
  program.targets[0].scripts.push_back(on_flag(stack(set("v", num(0)), set("v", num(1)))));
  add_sprite("large", 3, 0);
  add_sprite("middle", 1, 0);
  add_sprite("small", 0, 9);
  add_sprite("also middle", 1, 4);
  scratch::order_for_editor(program);
  std::string order;
  for (const auto& target : program.targets) {
    order += target.name + " " + std::to_string(target.layer) + ", ";
  }
  CHECK(order == "Stage 0, small 9, middle 2, also middle 4, large 1, ");
}

TEST_CASE("variables and lists go by name, the last one first") {
  scratch::Program program = empty_program();
  for (scratch::Target& target : program.targets) {
    target.variables = {{"b"}, {"_c"}, {"a 2"}, {"a"}};
    target.lists = {{.name = "z"}, {.name = "_y"}};
  }
  scratch::order_for_editor(program);
  for (const scratch::Target& target : program.targets) {
    std::string order;
    for (const auto& variable : target.variables) order += variable.name + ",";
    for (const auto& list : target.lists) order += list.name + ",";
    CHECK(order == "b,a 2,a,_c,z,_y,");
  }
}
