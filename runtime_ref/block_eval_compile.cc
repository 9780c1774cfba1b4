#include <map>

#include "base/error.h"
#include "runtime_ref/block_eval_code.h"
#include "runtime_ref/block_eval_reporters.h"

namespace sb3lm::eval {
namespace {

using scratch::Node;
using scratch::Op;
using scratch::Program;
using scratch::Stack;

constexpr int kMaxDepth = 1500;

class StackCompiler {
 public:
  StackCompiler(const Program& program, World& world) : program_(program), world_(world) {
    for (const std::string& name : program.broadcasts) {
      project_.broadcasts.push_back(lower_case(Text(name)));
    }
  }

  CompiledProject compile() {
    for (std::size_t actor = 0; actor < program_.targets.size(); ++actor) name_procedures(actor);
    for (std::size_t actor = 0; actor < program_.targets.size(); ++actor) compile_target(actor);
    return std::move(project_);
  }

 private:
  void name_procedures(std::size_t actor) {
    for (const auto& procedure : program_.targets[actor].procedures) {
      // Of two definitions the virtual machines call the first.
      procedures_.emplace(std::pair(actor, procedure.code), project_.procedures.size());
      project_.procedures.push_back({procedure.code, actor, 0, procedure.warp});
    }
  }

  void compile_target(std::size_t actor) {
    actor_ = actor;
    std::size_t next = 0;
    while (next < project_.procedures.size() && project_.procedures[next].actor != actor) ++next;
    for (const auto& procedure : program_.targets[actor].procedures) {
      ReporterCompiler reporters(world_, world_.actors[actor], &procedure);
      reporters_ = &reporters;
      project_.procedures[next++].start = compile_body(procedure.body);
    }
    for (const auto& script : program_.targets[actor].scripts) {
      ReporterCompiler reporters(world_, world_.actors[actor], nullptr);
      reporters_ = &reporters;
      check(script.hat != nullptr, "a script without a hat");
      const bool named = script.hat->op == Op::when_received || script.hat->op == Op::when_key;
      std::string message = named ? lower_case(Text(script.hat->fields.at(0))) : "";
      const Place start = compile_body(script.body);
      const bool timed = script.hat->op == Op::when_greater && script.hat->fields.at(0) == "TIMER";
      project_.scripts.push_back({script.hat->op, std::move(message), actor, start,
                                  timed ? input(*script.hat, 0) : nullptr});
    }
  }

  Place compile_body(const Stack& body) {
    const Place start = here();
    stack(body, 0);
    emit({Code::finish});
    return start;
  }

  Place here() const { return static_cast<Place>(project_.instructions.size()); }

  Instruction& emit(Instruction instruction) {
    return project_.instructions.emplace_back(std::move(instruction));
  }

  const Expr* keep(ExprPtr expr) {
    return project_.expressions.emplace_back(std::move(expr)).get();
  }

  const Expr* input(const Node& node, std::size_t index) {
    return keep(
        reporters_->compile(index < node.inputs.size() ? node.inputs[index].get() : nullptr));
  }

  void stack(const Stack& blocks, int depth) {
    if (depth > kMaxDepth) fail(Fault::bad_input, "blocks nested over {}", kMaxDepth);
    for (const auto& block : blocks) {
      check(block != nullptr, "an empty place in a stack");
      command(*block, depth);
    }
  }

  void command(const Node& node, int depth) {
    switch (scratch::info(node.op).shape) {
      case scratch::BlockShape::c_block:
        return c_block(node, depth);
      case scratch::BlockShape::stack:
      case scratch::BlockShape::end:
        break;
      default:
        fail(Fault::bad_input, "{} stands in a stack", scratch::info(node.op).name);
    }
    if (!data_command(node) && !looks_command(node)) control_command(node);
  }

  bool data_command(const Node& node) {
    switch (node.op) {
      case Op::set_variable:
        variable_command(Code::set, node);
        return true;
      case Op::change_variable:
        variable_command(Code::change, node);
        return true;
      case Op::list_add:
        list_command(Code::append, node);
        return true;
      case Op::list_delete:
        list_command(Code::erase, node);
        return true;
      case Op::list_clear:
        list_command(Code::clear, node);
        return true;
      case Op::list_insert:
        list_command(Code::insert, node);
        return true;
      case Op::list_replace:
        list_command(Code::replace, node);
        return true;
      // Monitors are not kept, but the name must be one.
      case Op::show_variable:
      case Op::hide_variable:
        reporters_->variable(node);
        return true;
      case Op::show_list:
      case Op::hide_list:
        reporters_->list(node);
        return true;
      default:
        return false;
    }
  }

  void variable_command(Code code, const Node& node) {
    Instruction instruction{code};
    instruction.variable = reporters_->variable(node);
    instruction.a = input(node, 0);
    emit(std::move(instruction));
  }

  void list_command(Code code, const Node& node) {
    Instruction instruction{code};
    instruction.list = reporters_->list(node);
    if (code != Code::clear) instruction.a = input(node, 0);
    if (code == Code::insert || code == Code::replace) instruction.b = input(node, 1);
    if (code == Code::replace && instruction.a->gives_number() && instruction.b->gives_number()) {
      instruction.code = Code::replace_number;
    }
    emit(std::move(instruction));
  }

  bool looks_command(const Node& node) {
    switch (node.op) {
      case Op::switch_costume:
        emit_with(Code::switch_costume, node, 0);
        return true;
      case Op::go_to_front:
        emit({node.fields.at(0) == "front" ? Code::go_front : Code::go_back});
        return true;
      case Op::say:
      case Op::set_size:
      case Op::set_effect:
      case Op::pen_color:
      case Op::pen_size:
        emit_with(Code::evaluate, node, 0);
        return true;
      case Op::go_to_xy:
        emit_with(Code::evaluate, node, 0);
        emit_with(Code::evaluate, node, 1);
        return true;
      case Op::show:
      case Op::hide:
      case Op::pen_clear:
      case Op::pen_down:
      case Op::pen_up:
        return true;
      default:
        return false;
    }
  }

  void emit_with(Code code, const Node& node, std::size_t index) {
    Instruction instruction{code};
    instruction.a = input(node, index);
    emit(std::move(instruction));
  }

  void control_command(const Node& node) {
    switch (node.op) {
      case Op::wait_until:
        return emit_with(Code::wait_until, node, 0);
      case Op::wait:
        return emit_with(Code::wait, node, 0);
      case Op::broadcast:
        return emit_with(Code::broadcast, node, 0);
      case Op::broadcast_wait:
        return emit_with(Code::broadcast_wait, node, 0);
      case Op::ask:
        return emit_with(Code::ask, node, 0);
      case Op::reset_timer:
        emit({Code::reset_timer});
        return;
      case Op::stop:
        return stop(node.fields.at(0));
      case Op::call:
        return call(node);
      default:
        fail(Fault::bad_input, "{} stands in a stack", scratch::info(node.op).name);
    }
  }

  void stop(const std::string& what) {
    if (what == "all") {
      emit({Code::stop_all});
    } else if (what == "this script") {
      emit({Code::stop_script});
    } else if (what.starts_with("other scripts")) {
      emit({Code::stop_others});
    }
  }

  void call(const Node& node) {
    const auto found = procedures_.find({actor_, node.text});
    if (found == procedures_.end()) {
      fail(Fault::bad_input, "{} defines no block '{}'", program_.targets[actor_].name, node.text);
    }
    Instruction instruction{Code::call};
    instruction.target = static_cast<Place>(found->second);
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      instruction.arguments.push_back(input(node, i));
    }
    const auto& definitions = program_.targets[actor_].procedures;
    for (const auto& definition : definitions) {
      if (definition.code != node.text) continue;
      if (definition.parameters.size() != node.inputs.size()) {
        fail(Fault::bad_input, "a call of '{}' with {} arguments", node.text, node.inputs.size());
      }
      break;
    }
    emit(std::move(instruction));
  }

  const Stack& body(const Node& node, std::size_t index) const {
    static const Stack none;
    return index < node.bodies.size() ? node.bodies[index] : none;
  }

  // Sets the target of the instruction at `from` to where the next one will stand.
  void land(Place from) { project_.instructions[from].target = here(); }

  Place emit_test(Code code, const Node& node) {
    Instruction instruction{code};
    instruction.a = input(node, 0);
    emit(std::move(instruction));
    return here() - 1;
  }

  void c_block(const Node& node, int depth) {
    switch (node.op) {
      case Op::if_then:
      case Op::if_else:
        return branches(node, depth);
      case Op::repeat: {
        emit_test(Code::repeat_begin, node);
        emit({Code::repeat_next});
        return loop_body(here() - 1, node, depth);
      }
      case Op::repeat_until:
        return loop_body(emit_test(Code::when, node), node, depth);
      case Op::while_loop:
        return loop_body(emit_test(Code::unless, node), node, depth);
      case Op::forever: {
        const Place start = here();
        stack(body(node, 0), depth + 1);
        emit({Code::loop, start});
        return;
      }
      default:
        fail(Fault::bad_input, "{} is no loop", scratch::info(node.op).name);
    }
  }

  // The loop whose test stands at `test`, which leaves by its target.
  void loop_body(Place test, const Node& node, int depth) {
    stack(body(node, 0), depth + 1);
    emit({Code::loop, test});
    land(test);
  }

  void branches(const Node& node, int depth) {
    const Place test = emit_test(Code::unless, node);
    stack(body(node, 0), depth + 1);
    if (node.op == Op::if_else) {
      emit({Code::jump});
      const Place leave = here() - 1;
      land(test);
      stack(body(node, 1), depth + 1);
      land(leave);
    } else {
      land(test);
    }
  }

  const Program& program_;
  World& world_;
  CompiledProject project_;
  std::map<std::pair<std::size_t, std::string>, std::size_t> procedures_;
  std::size_t actor_ = 0;
  ReporterCompiler* reporters_ = nullptr;
};

}  // namespace

CompiledProject compile(const Program& program, World& world) {
  return StackCompiler(program, world).compile();
}

}  // namespace sb3lm::eval
