// The workspace of the editor: nothing may lie on anything else.
#include "scratch/arrange.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "support/programs.h"

namespace {

using namespace sb3lm;
using namespace sb3lm::test;
using scratch::Box;

bool overlap(const Box& a, const Box& b) {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

std::vector<Box> boxes_of(const scratch::Arrangement& all) {
  std::vector<Box> boxes = all.notes;
  for (const auto* spots : {&all.scripts, &all.procedures}) {
    for (const scratch::Spot& spot : *spots) {
      // A comment may stand over its own script's body, not over other scripts.
      Box whole = spot.script;
      if (spot.comment.height > 0) {
        whole.height += whole.y - std::min(whole.y, spot.comment.y);
        whole.y = std::min(whole.y, spot.comment.y);
        CHECK(spot.comment.x > spot.script.x);
        CHECK(spot.comment.x + spot.comment.width <= spot.script.x + spot.script.width);
      }
      boxes.push_back(whole);
    }
  }
  return boxes;
}

void check_apart(const scratch::Target& target) {
  const std::vector<Box> boxes = boxes_of(scratch::arrange(target));
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    CHECK(boxes[i].height > 0);
    for (std::size_t k = 0; k < i; ++k) CHECK_FALSE(overlap(boxes[i], boxes[k]));
  }
}

scratch::Procedure procedure(const std::string& name, int blocks, scratch::Shelf shelf,
                             const std::string& comment) {
  scratch::Procedure made{.code = name, .comment = comment, .shelf = shelf};
  for (int i = 0; i < blocks; ++i) made.body.push_back(change("x", num(1)));
  return made;
}

}  // namespace

TEST_CASE("scripts, definitions, comments and notes lie apart") {
  for (const scratch::Target& target : sample_program().targets) check_apart(target);
  scratch::Target target;
  target.notes = {"one", std::string(500, 'w')};
  target.scripts.push_back(on_flag(stack(change("x", num(1)))));
  for (int i = 0; i < 12; ++i) {
    const std::string comment = i % 3 == 0 ? std::string(40 * static_cast<unsigned>(i), 'c') : "";
    target.procedures.push_back(procedure("p", 1 + 7 * i % 40, {i % 4, i % 5}, comment));
  }
  check_apart(target);
}

TEST_CASE("shelves say what stands where") {
  scratch::Target target;
  target.procedures.push_back(procedure("below", 1, {1, 2}, ""));
  target.procedures.push_back(procedure("above", 1, {1, 1}, ""));
  target.procedures.push_back(procedure("right", 1, {2, 0}, ""));
  const auto at = scratch::arrange(target).procedures;
  CHECK(at[0].script.x == at[1].script.x);
  CHECK(at[0].script.y > at[1].script.y);
  CHECK(at[2].script.x > at[1].script.x + at[1].script.width);
}

TEST_CASE("deep nesting and empty slots only cost accuracy") {
  scratch::Target target;
  NodePtr deep = num(1);
  for (int i = 0; i < 900; ++i) deep = add(std::move(deep), nullptr);
  target.scripts.push_back(on_flag(stack(set("x", std::move(deep)))));
  check_apart(target);
}
