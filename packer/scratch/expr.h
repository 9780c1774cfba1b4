// The typed block language: expressions. A C++ expression is a tree of reporter blocks; C++ types
// keep Scratch's slots honest (a condition takes only a boolean, text becomes a number only through
// a visible to_num). Statements are in script.h.
#pragma once

#include <concepts>
#include <string>
#include <type_traits>
#include <utility>

#include "base/number_text.h"
#include "scratch/ir.h"

namespace sb3lm::blocks {

using scratch::NodePtr;
using scratch::Op;

struct Num {};
struct Str {};
struct Bool {};

template <class T>
class Var;
template <class T>
class Arg;

/// A reporter, owned once: a block has one parent, so an expression used twice would be emitted and
/// evaluated twice. Move-only makes that visible; copy(e) says it is meant.
template <class T>
class Expr {
 public:
  Expr(const Var<T>& variable);
  Expr(const Arg<T>& argument);
  template <class N>
  requires(std::same_as<T, Num>&& std::is_arithmetic_v<N> && !std::same_as<N, bool>) Expr(N number)
      : node_(scratch::make_node(Op::literal_number)) {
    node_->text = js_number_text(static_cast<double>(number));
  }
  Expr(const char* text) requires std::same_as<T, Str> : Expr(std::string(text)) {}
  Expr(std::string text) requires std::same_as<T, Str>
      : node_(scratch::make_node(Op::literal_text)) {
    node_->text = std::move(text);
  }
  explicit Expr(NodePtr node) : node_(std::move(node)) {}
  Expr(Expr&&) = default;
  Expr& operator=(Expr&&) = default;

  NodePtr take() && { return std::move(node_); }
  const scratch::Node& node() const { return *node_; }

 private:
  NodePtr node_;
};

/// Handle of a variable; the value is read where it is used.
template <class T>
class Var {
 public:
  explicit Var(std::string variable_name) : name(std::move(variable_name)) {}
  std::string name;
};

/// Handle of a procedure's argument, valid only inside its body.
template <class T>
class Arg {
 public:
  explicit Arg(std::string argument_name) : name(std::move(argument_name)) {}
  std::string name;
};

namespace detail {

inline NodePtr node(Op op, NodePtr a, NodePtr b = nullptr) {
  NodePtr made = scratch::make_node(op);
  made->inputs.push_back(std::move(a));
  if (b) made->inputs.push_back(std::move(b));
  return made;
}

inline NodePtr with_field(Op op, std::string field) {
  NodePtr made = scratch::make_node(op);
  made->fields.push_back(std::move(field));
  return made;
}

template <class R, class A, class B>
Expr<R> binary(Op op, Expr<A> a, Expr<B> b) {
  return Expr<R>(node(op, std::move(a).take(), std::move(b).take()));
}

}  // namespace detail

/// Handle of a list; items count from 1.
template <class T>
class List {
 public:
  explicit List(std::string list_name) : name(std::move(list_name)) {}

  Expr<T> operator[](Expr<Num> index) const {
    NodePtr made = detail::with_field(Op::list_item, name);
    made->inputs.push_back(std::move(index).take());
    return Expr<T>(std::move(made));
  }
  Expr<Num> length() const { return Expr<Num>(detail::with_field(Op::list_length, name)); }
  /// Position of the first item that equals `item` as Scratch compares (ignoring case), 0 if none.
  Expr<Num> index_of(Expr<T> item) const {
    NodePtr made = detail::with_field(Op::list_index, name);
    made->inputs.push_back(std::move(item).take());
    return Expr<Num>(std::move(made));
  }
  Expr<Bool> contains(Expr<T> item) const {
    NodePtr made = detail::with_field(Op::list_contains, name);
    made->inputs.push_back(std::move(item).take());
    return Expr<Bool>(std::move(made));
  }
  /// All items in one text, with spaces between unless each is a single letter.
  Expr<Str> contents() const { return Expr<Str>(detail::with_field(Op::list_contents, name)); }
  std::string name;
};

template <class T>
Expr<T>::Expr(const Var<T>& variable) : node_(detail::with_field(Op::variable, variable.name)) {}
template <class T>
Expr<T>::Expr(const Arg<T>& argument)
    : node_(detail::with_field(std::same_as<T, Bool> ? Op::argument_boolean : Op::argument,
                               argument.name)) {}

template <class T>
Expr<T> copy(const Expr<T>& e) {
  return Expr<T>(scratch::clone(e.node()));
}

inline Expr<Num> operator+(Expr<Num> a, Expr<Num> b) {
  return detail::binary<Num>(Op::add, std::move(a), std::move(b));
}
inline Expr<Num> operator-(Expr<Num> a, Expr<Num> b) {
  return detail::binary<Num>(Op::subtract, std::move(a), std::move(b));
}
inline Expr<Num> operator*(Expr<Num> a, Expr<Num> b) {
  return detail::binary<Num>(Op::multiply, std::move(a), std::move(b));
}
inline Expr<Num> operator/(Expr<Num> a, Expr<Num> b) {
  return detail::binary<Num>(Op::divide, std::move(a), std::move(b));
}
inline Expr<Bool> operator<(Expr<Num> a, Expr<Num> b) {
  return detail::binary<Bool>(Op::less, std::move(a), std::move(b));
}
inline Expr<Bool> operator>(Expr<Num> a, Expr<Num> b) {
  return detail::binary<Bool>(Op::greater, std::move(a), std::move(b));
}
inline Expr<Bool> operator==(Expr<Num> a, Expr<Num> b) {
  return detail::binary<Bool>(Op::equal, std::move(a), std::move(b));
}
/// Scratch's text comparison: ignores case, and compares as numbers where both look like numbers.
inline Expr<Bool> same_text(Expr<Str> a, Expr<Str> b) {
  return detail::binary<Bool>(Op::equal, std::move(a), std::move(b));
}
/// Whether `a` comes before `b`, by the same rules.
inline Expr<Bool> text_before(Expr<Str> a, Expr<Str> b) {
  return detail::binary<Bool>(Op::less, std::move(a), std::move(b));
}
inline Expr<Bool> operator&&(Expr<Bool> a, Expr<Bool> b) {
  return detail::binary<Bool>(Op::both, std::move(a), std::move(b));
}
inline Expr<Bool> operator||(Expr<Bool> a, Expr<Bool> b) {
  return detail::binary<Bool>(Op::either, std::move(a), std::move(b));
}
inline Expr<Bool> operator!(Expr<Bool> a) {
  return Expr<Bool>(detail::node(Op::negate, std::move(a).take()));
}

inline Expr<Num> mod(Expr<Num> a, Expr<Num> b) {
  return detail::binary<Num>(Op::mod, std::move(a), std::move(b));
}
inline Expr<Num> round(Expr<Num> a) {
  return Expr<Num>(detail::node(Op::round, std::move(a).take()));
}
inline Expr<Num> math(std::string function, Expr<Num> a) {
  NodePtr made = detail::node(Op::math, std::move(a).take());
  made->fields.push_back(std::move(function));
  return Expr<Num>(std::move(made));
}
inline Expr<Num> floor(Expr<Num> a) {
  return math("floor", std::move(a));
}
inline Expr<Num> abs(Expr<Num> a) {
  return math("abs", std::move(a));
}
inline Expr<Num> sqrt(Expr<Num> a) {
  return math("sqrt", std::move(a));
}

inline Expr<Str> join(Expr<Str> a, Expr<Str> b) {
  return detail::binary<Str>(Op::join, std::move(a), std::move(b));
}
inline Expr<Str> letter(Expr<Num> index, Expr<Str> of) {
  return detail::binary<Str>(Op::letter_of, std::move(index), std::move(of));
}
inline Expr<Num> length(Expr<Str> of) {
  return Expr<Num>(detail::node(Op::text_length, std::move(of).take()));
}

/// The cast that Scratch makes by itself; costs no block.
inline Expr<Str> to_str(Expr<Num> e) {
  return Expr<Str>(std::move(e).take());
}
/// Text as a number, through `+ 0`: costs a block and makes the type known to TurboWarp.
inline Expr<Num> to_num(Expr<Str> e) {
  return Expr<Num>(std::move(e).take()) + 0;
}

inline Expr<Str> answer() {
  return Expr<Str>(scratch::make_node(Op::answer));
}
inline Expr<Num> mouse_x() {
  return Expr<Num>(scratch::make_node(Op::mouse_x));
}
inline Expr<Num> mouse_y() {
  return Expr<Num>(scratch::make_node(Op::mouse_y));
}
inline Expr<Bool> mouse_down() {
  return Expr<Bool>(scratch::make_node(Op::mouse_down));
}
inline Expr<Bool> contains(Expr<Str> text, Expr<Str> part) {
  return detail::binary<Bool>(Op::text_contains, std::move(text), std::move(part));
}
inline Expr<Num> timer() {
  return Expr<Num>(scratch::make_node(Op::timer));
}
inline Expr<Num> days_since_2000() {
  return Expr<Num>(scratch::make_node(Op::days_since_2000));
}
/// A clock in milliseconds.
inline Expr<Num> milliseconds() {
  return days_since_2000() * 86400000;
}
inline Expr<Str> costume_name() {
  return Expr<Str>(detail::with_field(Op::costume_number, "name"));
}
inline Expr<Num> costume_number() {
  return Expr<Num>(detail::with_field(Op::costume_number, "number"));
}

/// term(0) + term(1) + ... as one left-deep chain, the cheapest form in both VMs (docs/costs.md).
template <class Term>
Expr<Num> unrolled_sum(int count, Term term) {
  Expr<Num> sum = term(0);
  for (int k = 1; k < count; ++k) sum = std::move(sum) + term(k);
  return sum;
}

}  // namespace sb3lm::blocks
