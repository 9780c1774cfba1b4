// The typed block language: statements, procedures, scripts and the sprite that holds them.
// Statements are methods named after the block that they emit.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "scratch/expr.h"

namespace sb3lm::blocks {

/// A defined custom block that takes these argument types.
template <class... Ts>
struct Proc {
  std::string code;
};

/// An open stack of blocks. A body's Script must be used, not its parent's, while the body is open;
/// bodies shadow `s` on purpose so that the parent cannot be reached.
class Script {
 public:
  template <class T>
  void set(const Var<T>& variable, std::type_identity_t<Expr<T>> value) {
    emit(Op::set_variable, variable.name, std::move(value).take());
  }
  void change(const Var<Num>& variable, Expr<Num> by) {
    emit(Op::change_variable, variable.name, std::move(by).take());
  }
  template <class T>
  void append(const List<T>& list, std::type_identity_t<Expr<T>> item) {
    emit(Op::list_add, list.name, as_item(std::move(item)).take());
  }
  template <class T>
  void replace(const List<T>& list, Expr<Num> index, std::type_identity_t<Expr<T>> item) {
    emit(Op::list_replace, list.name, std::move(index).take(), as_item(std::move(item)).take());
  }
  template <class T>
  void insert(const List<T>& list, std::type_identity_t<Expr<T>> item, Expr<Num> index) {
    emit(Op::list_insert, list.name, as_item(std::move(item)).take(), std::move(index).take());
  }
  template <class T>
  void erase(const List<T>& list, Expr<Num> index) {
    emit(Op::list_delete, list.name, std::move(index).take());
  }
  template <class T>
  void clear(const List<T>& list) {
    emit(Op::list_clear, list.name);
  }

  template <class Body>
  void repeat(Expr<Num> times, Body body) {
    c_block(Op::repeat, std::move(times).take(), body);
  }
  template <class Body>
  void repeat_until(Expr<Bool> condition, Body body) {
    c_block(Op::repeat_until, std::move(condition).take(), body);
  }
  template <class Body>
  void forever(Body body) {
    c_block(Op::forever, nullptr, body);
  }
  template <class Body>
  void when(Expr<Bool> condition, Body body) {
    c_block(Op::if_then, std::move(condition).take(), body);
  }
  template <class Then, class Else>
  void when_else(Expr<Bool> condition, Then then, Else otherwise) {
    c_block(Op::if_else, std::move(condition).take(), then, otherwise);
  }

  template <class... Ts>
  void call(const Proc<Ts...>& procedure, std::type_identity_t<Expr<Ts>>... arguments) {
    NodePtr node = scratch::make_node(Op::call);
    node->text = procedure.code;
    (node->inputs.push_back(std::move(arguments).take()), ...);
    push(std::move(node));
  }

  void broadcast(std::string message) { message_block(Op::broadcast, std::move(message)); }
  /// A message that is known only when the script runs.
  void broadcast_named(Expr<Str> message) { emit_inputs(Op::broadcast, std::move(message).take()); }
  void broadcast_and_wait(std::string message) {
    message_block(Op::broadcast_wait, std::move(message));
  }
  void wait_until(Expr<Bool> condition) {
    emit_inputs(Op::wait_until, std::move(condition).take());
  }
  void wait(Expr<Num> seconds) { emit_inputs(Op::wait, std::move(seconds).take()); }
  /// "this script", "all" or "other scripts in sprite".
  void stop(std::string what) { push(detail::with_field(Op::stop, std::move(what))); }
  void switch_costume(Expr<Str> name) { emit_inputs(Op::switch_costume, std::move(name).take()); }
  void ask(Expr<Str> question) { emit_inputs(Op::ask, std::move(question).take()); }
  void say(Expr<Str> text) { emit_inputs(Op::say, std::move(text).take()); }
  void show() { push(scratch::make_node(Op::show)); }
  void hide() { push(scratch::make_node(Op::hide)); }
  void go_to(Expr<Num> x, Expr<Num> y) {
    emit_inputs(Op::go_to_xy, std::move(x).take(), std::move(y).take());
  }
  void pen_clear() { push(scratch::make_node(Op::pen_clear)); }
  void pen_down() { push(scratch::make_node(Op::pen_down)); }
  void pen_up() { push(scratch::make_node(Op::pen_up)); }
  void pen_color(Expr<Str> color) { emit_inputs(Op::pen_color, std::move(color).take()); }
  void pen_size(Expr<Num> pixels) { emit_inputs(Op::pen_size, std::move(pixels).take()); }
  void set_size(Expr<Num> percent) { emit_inputs(Op::set_size, std::move(percent).take()); }
  void set_effect(std::string effect, Expr<Num> value) {
    emit(Op::set_effect, effect, std::move(value).take());
  }
  void show_variable(const std::string& name) { push(detail::with_field(Op::show_variable, name)); }
  void hide_variable(const std::string& name) { push(detail::with_field(Op::hide_variable, name)); }

  void push(NodePtr node) {
    check(!body_open_, "a block was added to a script whose body is open");
    stack_.push_back(std::move(node));
  }
  scratch::Stack take() && { return std::move(stack_); }

 private:
  // TurboWarp stores a literal item as text, which it reads slowly and saves as two letters more; a
  // sum it stores as a number.
  template <class T>
  static Expr<T> as_item(Expr<T> item) {
    if constexpr (std::same_as<T, Num>) {
      if (item.node().op == Op::literal_number) return std::move(item) + 0;
    }
    return item;
  }

  template <class... Inputs>
  void emit(Op op, const std::string& field, Inputs... inputs) {
    NodePtr node = detail::with_field(op, field);
    (node->inputs.push_back(std::move(inputs)), ...);
    push(std::move(node));
  }
  template <class... Inputs>
  void emit_inputs(Op op, Inputs... inputs) {
    NodePtr node = scratch::make_node(op);
    (node->inputs.push_back(std::move(inputs)), ...);
    push(std::move(node));
  }
  void message_block(Op op, std::string message) {
    NodePtr text = scratch::make_node(Op::literal_text);
    text->text = std::move(message);
    emit_inputs(op, std::move(text));
  }
  template <class... Bodies>
  void c_block(Op op, NodePtr head, Bodies&... bodies) {
    NodePtr node = scratch::make_node(op);
    if (head) node->inputs.push_back(std::move(head));
    body_open_ = true;
    (node->bodies.push_back(run_body(bodies)), ...);
    body_open_ = false;
    push(std::move(node));
  }
  template <class Body>
  static scratch::Stack run_body(Body& body) {
    Script inner;
    body(inner);
    return std::move(inner).take();
  }

  scratch::Stack stack_;
  bool body_open_ = false;
};

/// Adds to one target (the stage or a sprite) of a program that is being built. Keeps a reference
/// by index, so further targets may be added meanwhile.
class Sprite {
 public:
  Sprite(scratch::Program& program, std::size_t target) : program_(&program), target_(target) {}

  template <class T>
  Var<T> var(const std::string& name, scratch::Scalar initial = 0.0) {
    target().variables.push_back({name, std::move(initial)});
    return Var<T>(name);
  }
  template <class T>
  List<T> list(const std::string& name, std::vector<scratch::Scalar> items = {},
               std::size_t zeros = 0) {
    target().lists.push_back({name, std::move(items), zeros});
    return List<T>(name);
  }

  /// Warp (runs without screen refresh), the default for all arithmetic.
  template <class... Ts, class Body>
  Proc<Ts...> define(const std::string& name,
                     const std::array<const char*, sizeof...(Ts)>& arguments, Body body) {
    return add_procedure<Ts...>(name, arguments, true, body);
  }
  /// Lets the screen refresh at every loop turn: for work that the user watches.
  template <class... Ts, class Body>
  Proc<Ts...> define_yielding(const std::string& name,
                              const std::array<const char*, sizeof...(Ts)>& arguments, Body body) {
    return add_procedure<Ts...>(name, arguments, false, body);
  }

  template <class Body>
  void when_flag(Body body) {
    add_script(scratch::make_node(Op::when_flag), body);
  }
  template <class Body>
  void when_received(const std::string& message, Body body) {
    add_broadcast(message);
    add_script(detail::with_field(Op::when_received, message), body);
  }
  template <class Body>
  void when_key(const std::string& key, Body body) {
    add_script(detail::with_field(Op::when_key, key), body);
  }
  /// Starts when the timer passes `seconds`, and again when it has been below in between. Players
  /// look before every step, also after the stop sign has ended all scripts.
  template <class Body>
  void when_timer_over(Expr<Num> seconds, Body body) {
    NodePtr hat = detail::with_field(Op::when_greater, "TIMER");
    hat->inputs.push_back(std::move(seconds).take());
    add_script(std::move(hat), body);
  }
  template <class Body>
  void when_clicked(Body body) {
    add_script(scratch::make_node(Op::when_clicked), body);
  }
  template <class Body>
  void when_stage_clicked(Body body) {
    add_script(scratch::make_node(Op::when_stage_clicked), body);
  }
  void add_broadcast(const std::string& message) {
    for (const std::string& known : program_->broadcasts) {
      if (known == message) return;
    }
    program_->broadcasts.push_back(message);
  }

  scratch::Target& target() { return program_->targets[target_]; }
  scratch::Program& program() { return *program_; }

 private:
  template <class... Ts, class Body>
  Proc<Ts...> add_procedure(const std::string& name,
                            const std::array<const char*, sizeof...(Ts)>& arguments, bool warp,
                            Body& body) {
    Proc<Ts...> made{name};
    scratch::Procedure procedure;
    constexpr std::array<bool, sizeof...(Ts)> is_boolean = {std::same_as<Ts, Bool>...};
    for (std::size_t i = 0; i < sizeof...(Ts); ++i) {
      made.code += is_boolean[i] ? " %b" : " %s";
      procedure.parameters.push_back({arguments[i], is_boolean[i]});
    }
    procedure.code = made.code;
    procedure.warp = warp;
    Script script;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      body(script, Arg<Ts>(arguments[I])...);
    }
    (std::index_sequence_for<Ts...>{});
    procedure.body = std::move(script).take();
    target().procedures.push_back(std::move(procedure));
    return made;
  }
  template <class Body>
  void add_script(NodePtr hat, Body& body) {
    Script script;
    body(script);
    target().scripts.push_back({std::move(hat), std::move(script).take()});
  }

  scratch::Program* program_;
  std::size_t target_;
};

}  // namespace sb3lm::blocks
