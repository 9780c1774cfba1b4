// Threads: in which order scripts run, where they yield, and who waits for whom. One project writes
// what it does to `log`; the evaluator's order must be that of both virtual machines.
#include <doctest/doctest.h>

#include "sb3/sb3.h"
#include "support/programs.h"
#include "support/skip.h"
#include "support/vm_run.h"

using namespace sb3lm;
using namespace sb3lm::test;

namespace {

NodePtr log(const std::string& what) {
  return append(text(what), "log");
}

// `times` turns, each logged as "<name> <turn>".
NodePtr counting(const std::string& name, double times) {
  return repeat(num(times), stack(change("_" + name, num(1)),
                                  append(block(Op::join, text(name), var("_" + name)), "log")));
}

void add_counter(scratch::Target& target, const std::string& name) {
  target.variables.push_back({"_" + name, 0.0});
}

NodePtr forever(Stack body) {
  NodePtr node = block(Op::forever);
  node->bodies.push_back(std::move(body));
  return node;
}

NodePtr stop(const char* what) {
  return with_fields(Op::stop, {what});
}

// Stage at the back, then two sprites whose layers are not their order in the file.
scratch::Program three_targets() {
  scratch::Program program = empty_program();
  program.targets[0].variables = {{"done", 0.0}};
  program.targets[0].lists = {{"log", {}, 0}};
  program.targets[1].layer = 2;
  program.targets.push_back({});
  program.targets[2].name = "other";
  program.targets[2].layer = 1;
  return program;
}

scratch::Program start_order() {
  scratch::Program program = three_targets();
  program.broadcasts = {"Go"};
  int i = 0;
  for (auto& target : program.targets) {
    const std::string name = "t" + std::to_string(i++);
    for (const char* part : {"a", "b"}) {
      target.scripts.push_back(on_flag(stack(log(name + part))));
      target.scripts.push_back(on_message("Go", stack(log("go " + name + part))));
    }
  }
  program.targets[1].scripts.push_back(
      on_flag(stack(block(Op::broadcast, text("Go")), log("sent"),
                    block(Op::broadcast_wait, block(Op::join, text("g"), text("O"))), log("back"),
                    block(Op::broadcast_wait, block(Op::join, text("no"), text("one"))),
                    log("nobody"), set("done", num(1)))));
  return program;
}

// Loops yield once a turn, warp procedures never, and two loops take turns.
scratch::Program turns() {
  scratch::Program program = three_targets();
  scratch::Target& engine = program.targets[1];
  for (const char* name : {"a", "b", "warp", "u", "w"}) add_counter(engine, name);
  engine.procedures.push_back({"fast", {}, true, stack(counting("warp", 4))});
  engine.procedures.push_back({"slow", {}, false, stack(log("in"), counting("u", 2), log("out"))});
  engine.scripts.push_back(on_flag(stack(counting("a", 3), log("a ends"))));
  engine.scripts.push_back(on_flag(stack(counting("b", 5), log("b ends"), call("slow"),
                                         log("after slow"), set("done", num(1)))));
  engine.scripts.push_back(on_flag(stack(repeat(num(0), stack(log("never"))), call("fast"),
                                         log("fast ends"), repeat(num(2), Stack()), log("empty"))));
  engine.scripts.push_back(on_flag(
      stack(block(Op::wait_until, block(Op::greater, var("_b"), num(2))), log("saw b over 2"))));
  return program;
}

// A message that comes again starts its script anew, even from inside; waiting ends with the script
// that was started, or when it is started anew.
scratch::Program restarts() {
  scratch::Program program = three_targets();
  program.broadcasts = {"work", "again"};
  scratch::Target &engine = program.targets[1], &other = program.targets[2];
  for (const char* name : {"x", "y"}) add_counter(other, name);
  other.scripts.push_back(on_message("work", stack(log("work"), counting("x", 3), log("worked"))));
  other.scripts.push_back(
      on_message("again", stack(log("again"), change("_y", num(1)),
                                if_then(block(Op::less, var("_y"), num(3)),
                                        stack(block(Op::broadcast, text("again")), log("onward"))),
                                repeat(num(1), Stack()), log("past loop"))));
  engine.scripts.push_back(
      on_flag(stack(block(Op::broadcast_wait, text("work")), log("first is back"),
                    block(Op::broadcast_wait, text("again")), log("second is back"),
                    repeat(num(6), Stack()), set("done", num(1)))));
  engine.scripts.push_back(on_flag(stack(repeat(num(1), Stack()), log("interrupts"),
                                         block(Op::broadcast, text("work")), log("sent"))));
  return program;
}

scratch::Program stops() {
  scratch::Program program = three_targets();
  program.broadcasts = {"end"};
  scratch::Target &engine = program.targets[1], &other = program.targets[2];
  for (const char* name : {"a", "b", "c"}) add_counter(engine, name);
  add_counter(other, "d");
  engine.procedures.push_back(
      {"leave",
       {},
       false,
       stack(repeat(num(5), stack(log("turn"), stop("this script"))), log("never"))});
  engine.procedures.push_back(
      {"leave fast", {}, true, stack(repeat(num(5), stack(log("fast"), stop("this script"))))});
  engine.scripts.push_back(on_flag(stack(counting("a", 50), log("never: a"))));
  engine.scripts.push_back(
      on_flag(stack(call("leave"), log("left"), call("leave fast"), repeat(num(3), Stack()),
                    stop("other scripts in sprite"), log("alone"), repeat(num(3), Stack()),
                    block(Op::broadcast, text("end")))));
  engine.scripts.push_back(on_flag(stack(repeat(num(2), Stack()), stop("this script"))));
  other.scripts.push_back(on_flag(stack(forever(stack(change("_d", num(1)))))));
  other.scripts.push_back(
      on_message("end", stack(append(block(Op::greater, var("_d"), num(5)), "log"),
                              set("done", num(1)), stop("all"))));
  return program;
}

// Waiting by the clock: the shorter wait ends first, and no wait takes no time at all.
scratch::Program waits() {
  scratch::Program program = three_targets();
  scratch::Target& engine = program.targets[1];
  engine.variables = {{"t", 0.0}};
  engine.scripts.push_back(on_flag(stack(block(Op::wait, num(0.4)), log("long"))));
  engine.scripts.push_back(on_flag(stack(block(Op::wait, num(0.2)), log("short"))));
  engine.scripts.push_back(on_flag(stack(block(Op::wait, num(0)), log("none"))));
  NodePtr timer = scratch::make_node(Op::timer);
  engine.scripts.push_back(
      on_flag(stack(scratch::make_node(Op::reset_timer), block(Op::wait, num(0.6)),
                    append(block(Op::less, std::move(timer), num(0.6)), "log"),
                    block(Op::wait, text("x")), set("done", num(1)))));
  return program;
}

// "When timer >" starts its script when the answer becomes yes: after `stop all` too, and again
// only once it has been no; nothing that happens while the script runs counts.
scratch::Program watched() {
  scratch::Program program = three_targets();
  scratch::Target& engine = program.targets[1];
  engine.variables = {{"limit", 0.4}, {"fired", 0.0}};
  const auto timer_over = [](NodePtr seconds, Stack body) {
    NodePtr hat = with_fields(Op::when_greater, {"TIMER"});
    hat->inputs.push_back(std::move(seconds));
    return scratch::Script{std::move(hat), std::move(body)};
  };
  engine.scripts.push_back(on_flag(stack(log("before"), stop("all"))));
  engine.scripts.push_back(
      timer_over(add(var("limit"), num(0.1)),
                 stack(log("over"), change("fired", num(1)),
                       set("limit", add(scratch::make_node(Op::timer), num(1.5))),
                       if_then(block(Op::equal, var("fired"), num(1)),
                               stack(block(Op::wait, num(0.1)), log("ends"), stop("all"))),
                       log("over again"), set("done", num(1)))));
  program.targets[2].scripts.push_back(timer_over(num(0.2), stack(log("once, and never again"))));
  return program;
}

std::string as_text(const Lists& lists) {
  std::string text;
  for (const std::string& item : lists.at("log")) text += item + "\n";
  return text;
}

void compare_all(const std::string& vm) {
  SilentProgress progress;
  std::vector<std::string> names, sb3s;
  const auto add = [&](const char* name, const scratch::Program& program) {
    names.emplace_back(name);
    sb3s.push_back(write_sb3(program, 6, progress));
  };
  add("start order", start_order());
  add("turns", turns());
  add("restarts", restarts());
  add("stops", stops());
  add("waits", waits());
  add("watched", watched());
  const auto theirs = run_all_in_vm(SB3LM_SOURCE_DIR, vm, sb3s, {"log"}, "done");
  if (!theirs) return test::skip_without(vm);
  REQUIRE(theirs->size() == names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    CAPTURE(names[i]);
    const Lists ours = run_in_evaluator(sb3s[i], {"log"}, "done");
    CHECK(ours.at("log").size() >= 4);
    CHECK(as_text(ours) == as_text(theirs->at(i)));
  }
}

}  // namespace

TEST_CASE("scripts run in the same order and yield in the same places: scratch-vm") {
  compare_all("scratch");
}

TEST_CASE("scripts run in the same order and yield in the same places: TurboWarp") {
  compare_all("turbowarp");
}
