#include "support/programs.h"

#include "base/number_text.h"

namespace sb3lm::test {

NodePtr num(double value) {
  NodePtr node = scratch::make_node(Op::literal_number);
  node->text = js_number_text(value);
  return node;
}

NodePtr text(const std::string& value) {
  NodePtr node = scratch::make_node(Op::literal_text);
  node->text = value;
  return node;
}

NodePtr var(const std::string& name) {
  return with_fields(Op::variable, {name});
}
NodePtr argument(const std::string& name) {
  return with_fields(Op::argument, {name});
}
NodePtr item(NodePtr index, const std::string& list) {
  return with_fields(Op::list_item, {list}, std::move(index));
}
NodePtr add(NodePtr left, NodePtr right) {
  return block(Op::add, std::move(left), std::move(right));
}
NodePtr set(const std::string& name, NodePtr value) {
  return with_fields(Op::set_variable, {name}, std::move(value));
}
NodePtr change(const std::string& name, NodePtr value) {
  return with_fields(Op::change_variable, {name}, std::move(value));
}
NodePtr append(NodePtr value, const std::string& list) {
  return with_fields(Op::list_add, {list}, std::move(value));
}

NodePtr call(const std::string& code, std::initializer_list<NodePtr*> arguments) {
  NodePtr node = scratch::make_node(Op::call);
  node->text = code;
  for (NodePtr* argument : arguments) node->inputs.push_back(std::move(*argument));
  return node;
}

NodePtr repeat(NodePtr times, Stack body) {
  NodePtr node = block(Op::repeat, std::move(times));
  node->bodies.push_back(std::move(body));
  return node;
}

NodePtr if_then(NodePtr condition, Stack body) {
  NodePtr node = block(Op::if_then, std::move(condition));
  node->bodies.push_back(std::move(body));
  return node;
}

scratch::Script on_flag(Stack body) {
  return {scratch::make_node(Op::when_flag), std::move(body)};
}

scratch::Script on_message(const std::string& message, Stack body) {
  return {with_fields(Op::when_received, {message}), std::move(body)};
}

scratch::Program empty_program() {
  scratch::Program program;
  program.targets.resize(2);
  program.targets[0].name = "Stage";
  program.targets[0].is_stage = true;
  program.targets[1].name = "engine";
  program.targets[1].layer = 1;
  return program;
}

namespace {

NodePtr if_else(NodePtr condition, Stack yes, Stack no) {
  NodePtr node = block(Op::if_else, std::move(condition));
  node->bodies.push_back(std::move(yes));
  node->bodies.push_back(std::move(no));
  return node;
}

scratch::Procedure row_procedure() {
  NodePtr at = add(argument("first"), num(17));
  NodePtr sum = add(item(std::move(at), "_codes"), num(0.5));
  return {"row %s of %b",
          {{"first", false}, {"fast", true}},
          true,
          stack(set("total", add(var("total"), item(std::move(sum), "_table"))),
                if_else(with_fields(Op::argument_boolean, {"fast"}),
                        stack(change("total", num(-2.25))), Stack()))};
}

Stack ui_body() {
  NodePtr first = num(1);
  NodePtr condition = block(Op::both, block(Op::less, var("total"), num(1e21)), nullptr);
  return stack(call("row %s of %b", {&first, &condition}),
               repeat(num(3), stack(append(block(Op::join, text("a\"b"), num(1)), "transcript"))),
               block(Op::broadcast, text("generate")), block(Op::broadcast_wait, var("status")),
               block(Op::switch_costume, text("happy")), block(Op::switch_costume, num(2)),
               block(Op::switch_costume, var("status")), with_fields(Op::show_list, {"transcript"}),
               block(Op::say, with_fields(Op::list_contents, {"transcript"})),
               block(Op::wait_until, block(Op::equal, text(""), nullptr)),
               block(Op::wait, num(0.25)), block(Op::ask, text("what?")),
               with_fields(Op::stop, {"other scripts in sprite"}),
               with_fields(Op::stop, {"this script"}));
}

}  // namespace

scratch::Program sample_program() {
  scratch::Program program = empty_program();
  program.title = "sample";
  program.broadcasts = {"generate", "stop"};
  program.assets = {{"happy.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>"}};
  scratch::Target& stage = program.targets[0];
  stage.variables = {{"status", std::string("loading")}, {"total", 0.1}};
  stage.lists = {{"transcript", {std::string("user: \xC3\xA9\n"), -0.0, 1e-300}, 0}};
  scratch::Target& sprite = program.targets[1];
  sprite.lists = {{"_codes", {1.0, 2.0, 0.0, std::string("3")}, 1000}, {"_table", {}, 0}};
  sprite.costumes = {{"happy", "happy.svg", 10, 20.5}, {"sad", "happy.svg", 0, 0}};
  sprite.current_costume = 1;
  sprite.visible = false;
  sprite.procedures.push_back(row_procedure());
  sprite.procedures.push_back({"idle", {}, false, {}});
  sprite.scripts.push_back(on_flag(ui_body()));
  sprite.scripts.push_back(on_message("generate", stack(call("idle"))));
  sprite.scripts.push_back({with_fields(Op::when_key, {"space"}), {}});
  sprite.scripts.push_back({with_fields(Op::when_greater, {"TIMER"}), {}});
  sprite.scripts.back().hat->inputs.push_back(add(var("total"), num(1.5)));
  sprite.procedures[0].comment = "one \"row\"\nof many";
  sprite.scripts[1].comment = "on request";
  sprite.notes = {"a note", "another, about \xC3\xA9"};
  using Mode = scratch::Monitor::Mode;
  program.monitors.push_back({.mode = Mode::large, .name = "status", .x = 5, .y = 6});
  program.monitors.push_back({.mode = Mode::slider, .name = "total", .slider_max = 2.5});
  program.monitors.push_back({.mode = Mode::list,
                              .target = "engine",
                              .name = "_table",
                              .visible = false,
                              .width = 100,
                              .height = 200});
  return program;
}

}  // namespace sb3lm::test
