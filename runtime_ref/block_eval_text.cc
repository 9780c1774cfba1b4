// Conditions, texts, list questions and sensing.
#include "base/error.h"
#include "runtime_ref/block_eval_expr.h"

namespace sb3lm::eval {
namespace {

using scratch::Op;

struct Less {
  static bool numbers(double a, double b) { return a < b; }
  static bool order(double difference) { return difference < 0; }
};
struct Greater {
  static bool numbers(double a, double b) { return a > b; }
  static bool order(double difference) { return difference > 0; }
};
struct Equal {
  static bool numbers(double a, double b) { return a == b; }
  static bool order(double difference) { return difference == 0; }
};

template <class Rule>
class Comparison final : public BooleanExpr {
 public:
  Comparison(ExprPtr left, ExprPtr right) : left_(std::move(left)), right_(std::move(right)) {}
  bool boolean(const Scope& scope) const override {
    const Value left = left_->value(scope), right = right_->value(scope);
    if (left.is_number() && right.is_number()) {
      const double a = left.number(), b = right.number();
      if (a == a && b == b) return Rule::numbers(a, b);
    }
    return Rule::order(compare(left, right));
  }

 private:
  ExprPtr left_, right_;
};

class Both final : public BooleanExpr {
 public:
  Both(ExprPtr left, ExprPtr right) : left_(std::move(left)), right_(std::move(right)) {}
  bool boolean(const Scope& scope) const override {
    return left_->boolean(scope) && right_->boolean(scope);
  }

 private:
  ExprPtr left_, right_;
};

class Either final : public BooleanExpr {
 public:
  Either(ExprPtr left, ExprPtr right) : left_(std::move(left)), right_(std::move(right)) {}
  bool boolean(const Scope& scope) const override {
    return left_->boolean(scope) || right_->boolean(scope);
  }

 private:
  ExprPtr left_, right_;
};

class Not final : public BooleanExpr {
 public:
  explicit Not(ExprPtr operand) : operand_(std::move(operand)) {}
  bool boolean(const Scope& scope) const override { return !operand_->boolean(scope); }

 private:
  ExprPtr operand_;
};

class Join final : public TextExpr {
 public:
  Join(ExprPtr left, ExprPtr right) : left_(std::move(left)), right_(std::move(right)) {}
  Text text(const Scope& scope) const override {
    const Text left = left_->text(scope);
    return join(left, right_->text(scope));
  }

 private:
  ExprPtr left_, right_;
};

class LetterOf final : public TextExpr {
 public:
  LetterOf(ExprPtr letter, ExprPtr whole) : letter_(std::move(letter)), whole_(std::move(whole)) {}
  Text text(const Scope& scope) const override {
    const double letter = letter_->number(scope);
    return letter_of(letter, whole_->text(scope));
  }

 private:
  ExprPtr letter_, whole_;
};

class TextLength final : public NumberExpr {
 public:
  explicit TextLength(ExprPtr operand) : operand_(std::move(operand)) {}
  double raw(const Scope& scope) const override {
    return static_cast<double>(operand_->text(scope).length());
  }

 private:
  ExprPtr operand_;
};

class TextContains final : public BooleanExpr {
 public:
  TextContains(ExprPtr whole, ExprPtr part) : whole_(std::move(whole)), part_(std::move(part)) {}
  bool boolean(const Scope& scope) const override {
    const Text whole = whole_->text(scope);
    return contains(whole, part_->text(scope));
  }

 private:
  ExprPtr whole_, part_;
};

class Argument final : public Expr {
 public:
  explicit Argument(std::size_t index) : index_(index) {}
  Value value(const Scope& scope) const override { return scope.arguments[index_]; }
  double number(const Scope& scope) const override { return to_number(scope.arguments[index_]); }

 private:
  std::size_t index_;
};

class ListLength final : public NumberExpr {
 public:
  explicit ListLength(const ItemList* list) : list_(list) {}
  double raw(const Scope&) const override { return static_cast<double>(list_->size()); }

 private:
  const ItemList* list_;
};

// The place of the first item equal to `wanted`, from 1; 0 if there is none.
std::size_t find_equal(const ItemList& list, const Value& wanted) {
  for (std::size_t at = 1; at <= list.size(); ++at) {
    if (equal(list.value(at), wanted)) return at;
  }
  return 0;
}

class ListIndex final : public NumberExpr {
 public:
  ListIndex(const ItemList* list, ExprPtr item) : list_(list), item_(std::move(item)) {}
  double raw(const Scope& scope) const override {
    return static_cast<double>(find_equal(*list_, item_->value(scope)));
  }

 private:
  const ItemList* list_;
  ExprPtr item_;
};

class ListContains final : public BooleanExpr {
 public:
  ListContains(const ItemList* list, ExprPtr item) : list_(list), item_(std::move(item)) {}
  bool boolean(const Scope& scope) const override {
    return find_equal(*list_, item_->value(scope)) != 0;
  }

 private:
  const ItemList* list_;
  ExprPtr item_;
};

class ListContents final : public TextExpr {
 public:
  explicit ListContents(const ItemList* list) : list_(list) {}
  // Items stand apart with a space, unless each is one letter.
  Text text(const Scope&) const override {
    bool letters = true;
    for (std::size_t at = 1; at <= list_->size() && letters; ++at) {
      const Value item = list_->value(at);
      letters = item.is_text() && item.text().length() == 1;
    }
    Text all;
    for (std::size_t at = 1; at <= list_->size(); ++at) {
      if (at > 1 && !letters) all = join(all, Text(" "));
      all = join(all, to_text(list_->value(at)));
    }
    return all;
  }

 private:
  const ItemList* list_;
};

class Answer final : public TextExpr {
 public:
  explicit Answer(const World& world) : world_(world) {}
  Text text(const Scope&) const override { return world_.answer; }

 private:
  const World& world_;
};

class MousePlace final : public NumberExpr {
 public:
  explicit MousePlace(const double& place) : place_(place) {}
  double raw(const Scope&) const override { return place_; }

 private:
  const double& place_;
};

class MouseDown final : public BooleanExpr {
 public:
  explicit MouseDown(const World& world) : world_(world) {}
  bool boolean(const Scope&) const override { return world_.mouse_down; }

 private:
  const World& world_;
};

class Timer final : public NumberExpr {
 public:
  explicit Timer(const World& world) : world_(world) {}
  double raw(const Scope&) const override { return world_.clock.now() - world_.timer_start; }

 private:
  const World& world_;
};

class DaysSince2000 final : public NumberExpr {
 public:
  explicit DaysSince2000(const World& world) : world_(world) {}
  double raw(const Scope&) const override { return world_.clock.days_since_2000(); }

 private:
  const World& world_;
};

class CostumeNumber final : public NumberExpr {
 public:
  explicit CostumeNumber(const Actor& actor) : actor_(actor) {}
  double raw(const Scope&) const override { return static_cast<double>(actor_.costume + 1); }

 private:
  const Actor& actor_;
};

class CostumeName final : public TextExpr {
 public:
  explicit CostumeName(const Actor& actor) : actor_(actor) {}
  Text text(const Scope&) const override { return Text(actor_.costumes[actor_.costume]); }

 private:
  const Actor& actor_;
};

template <class Node, class... Parts>
ExprPtr make(Parts&&... parts) {
  return std::make_unique<Node>(std::forward<Parts>(parts)...);
}

}  // namespace

ExprPtr make_comparison(Op op, ExprPtr left, ExprPtr right) {
  if (op == Op::less) return make<Comparison<Less>>(std::move(left), std::move(right));
  if (op == Op::greater) return make<Comparison<Greater>>(std::move(left), std::move(right));
  check(op == Op::equal, "not a comparison block");
  return make<Comparison<Equal>>(std::move(left), std::move(right));
}

ExprPtr make_logic(Op op, ExprPtr left, ExprPtr right) {
  if (op == Op::both) return make<Both>(std::move(left), std::move(right));
  check(op == Op::either, "not a logic block");
  return make<Either>(std::move(left), std::move(right));
}

ExprPtr make_not(ExprPtr operand) {
  return make<Not>(std::move(operand));
}
ExprPtr make_join(ExprPtr left, ExprPtr right) {
  return make<Join>(std::move(left), std::move(right));
}
ExprPtr make_letter_of(ExprPtr letter, ExprPtr text) {
  return make<LetterOf>(std::move(letter), std::move(text));
}
ExprPtr make_text_length(ExprPtr text) {
  return make<TextLength>(std::move(text));
}
ExprPtr make_text_contains(ExprPtr whole, ExprPtr part) {
  return make<TextContains>(std::move(whole), std::move(part));
}
ExprPtr make_argument(std::size_t index) {
  return make<Argument>(index);
}
ExprPtr make_list_length(const ItemList* list) {
  return make<ListLength>(list);
}
ExprPtr make_list_index(const ItemList* list, ExprPtr item) {
  return make<ListIndex>(list, std::move(item));
}
ExprPtr make_list_contains(const ItemList* list, ExprPtr item) {
  return make<ListContains>(list, std::move(item));
}
ExprPtr make_list_contents(const ItemList* list) {
  return make<ListContents>(list);
}
ExprPtr make_answer(const World& world) {
  return make<Answer>(world);
}
ExprPtr make_mouse(Op op, const World& world) {
  if (op == Op::mouse_down) return make<MouseDown>(world);
  return make<MousePlace>(op == Op::mouse_x ? world.mouse_x : world.mouse_y);
}
ExprPtr make_timer(const World& world) {
  return make<Timer>(world);
}
ExprPtr make_days_since_2000(const World& world) {
  return make<DaysSince2000>(world);
}
ExprPtr make_costume(const Actor& actor, bool number) {
  return number ? make<CostumeNumber>(actor) : make<CostumeName>(actor);
}

}  // namespace sb3lm::eval
