// Reporter blocks compiled to a tree of nodes that evaluate themselves, as whatever type the asking
// block wants. Sums of many terms are flat loops, added in the blocks' own order.
#pragma once

#include <memory>
#include <vector>

#include "runtime_ref/block_eval_world.h"
#include "runtime_ref/scratch_math.h"

namespace sb3lm::eval {

/// What a reporter sees besides the world: the arguments of the procedure that runs.
struct Scope {
  const Value* arguments = nullptr;
};

class Expr {
 public:
  virtual ~Expr() = default;
  virtual Value value(const Scope& scope) const = 0;
  /// Cast to a number; never NaN.
  virtual double number(const Scope& scope) const { return to_number(value(scope)); }
  virtual bool boolean(const Scope& scope) const { return to_boolean(value(scope)); }
  virtual Text text(const Scope& scope) const { return to_text(value(scope)); }
  /// True if value() is always a number, which raw() gives without a cast (NaN stays NaN).
  virtual bool gives_number() const { return false; }
  virtual double raw(const Scope& scope) const { return number(scope); }
};
using ExprPtr = std::unique_ptr<Expr>;

/// A node whose value is always a number: only raw() is left to write.
class NumberExpr : public Expr {
 public:
  double raw(const Scope& scope) const override = 0;
  Value value(const Scope& scope) const final { return Value(raw(scope)); }
  double number(const Scope& scope) const final { return clean(raw(scope)); }
  bool boolean(const Scope& scope) const final { return clean(raw(scope)) != 0; }
  Text text(const Scope& scope) const final { return number_to_text(raw(scope)); }
  bool gives_number() const final { return true; }
};

/// A node whose value is always a boolean.
class BooleanExpr : public Expr {
 public:
  bool boolean(const Scope& scope) const override = 0;
  Value value(const Scope& scope) const final { return Value(boolean(scope)); }
  double number(const Scope& scope) const final { return boolean(scope); }
};

/// A node whose value is always a text.
class TextExpr : public Expr {
 public:
  Text text(const Scope& scope) const override = 0;
  Value value(const Scope& scope) const final { return Value(text(scope)); }
  double number(const Scope& scope) const final { return text_to_number(text(scope)); }
};

class Constant final : public Expr {
 public:
  explicit Constant(Value value) : value_(std::move(value)), number_(to_number(value_)) {}
  Value value(const Scope&) const override { return value_; }
  double number(const Scope&) const override { return number_; }
  double raw(const Scope&) const override { return value_.is_number() ? value_.number() : number_; }
  bool gives_number() const override { return value_.is_number(); }

 private:
  Value value_;
  double number_;
};

class VariableExpr final : public Expr {
 public:
  explicit VariableExpr(const Value* variable) : variable_(variable) {}
  Value value(const Scope&) const override { return *variable_; }
  double number(const Scope&) const override { return to_number(*variable_); }
  const Value* variable() const { return variable_; }

 private:
  const Value* variable_;
};

/// item (variable + offset) of list: the index of nearly every lookup. `variable` may be null: then
/// the offset is the index.
class OffsetItem final : public Expr {
 public:
  OffsetItem(const ItemList* list, const Value* variable, double offset)
      : list_(list), variable_(variable), offset_(offset) {}
  double index() const { return variable_ ? clean(to_number(*variable_) + offset_) : offset_; }
  Value value(const Scope&) const override {
    return list_->value(number_to_index(index(), list_->size()));
  }
  double number(const Scope&) const override { return list_->number(index()); }

  const ItemList* list() const { return list_; }
  const Value* variable() const { return variable_; }
  double offset() const { return offset_; }

 private:
  const ItemList* list_;
  const Value* variable_;
  double offset_;
};

/// item ((item (variable + offset) of codes) + extra) of table.
class TableLookup final : public Expr {
 public:
  TableLookup(const ItemList* table, const OffsetItem& code, double extra)
      : table_(table), code_(code), extra_(extra) {}
  double index() const { return clean(code_.number({}) + extra_); }
  Value value(const Scope&) const override {
    return table_->value(number_to_index(index(), table_->size()));
  }
  double number(const Scope&) const override { return table_->number(index()); }

  const ItemList* table() const { return table_; }
  const OffsetItem& code() const { return code_; }
  double extra() const { return extra_; }

 private:
  const ItemList* table_;
  OffsetItem code_;
  double extra_;
};

/// item (index) of list, for any index.
class ItemExpr final : public Expr {
 public:
  ItemExpr(const ItemList* list, ExprPtr index) : list_(list), index_(std::move(index)) {}
  Value value(const Scope& scope) const override;
  double number(const Scope& scope) const override;

 private:
  const ItemList* list_;
  ExprPtr index_;
};

/// Factories for what blocks mean; see opcodes.def for the blocks.
ExprPtr make_arithmetic(scratch::Op op, ExprPtr left, ExprPtr right);
ExprPtr make_round(ExprPtr operand);
ExprPtr make_math(const std::string& function, ExprPtr operand);
ExprPtr make_random(World& world, ExprPtr from, ExprPtr to);
ExprPtr make_item(const ItemList* list, ExprPtr index);
/// item (variable + offset) of list, `variable` null for a constant index.
ExprPtr make_offset_item(const ItemList* list, const Value* variable, double offset);

/// One term of a sum: added, or taken away.
struct Term {
  ExprPtr expr;
  bool negative = false;
};
/// first +- second +- ..., from left to right.
ExprPtr make_sum(std::vector<Term> terms);

ExprPtr make_comparison(scratch::Op op, ExprPtr left, ExprPtr right);
ExprPtr make_logic(scratch::Op op, ExprPtr left, ExprPtr right);
ExprPtr make_not(ExprPtr operand);
ExprPtr make_join(ExprPtr left, ExprPtr right);
ExprPtr make_letter_of(ExprPtr letter, ExprPtr text);
ExprPtr make_text_length(ExprPtr text);
ExprPtr make_text_contains(ExprPtr whole, ExprPtr part);
ExprPtr make_argument(std::size_t index);
ExprPtr make_list_length(const ItemList* list);
ExprPtr make_list_index(const ItemList* list, ExprPtr item);
ExprPtr make_list_contains(const ItemList* list, ExprPtr item);
ExprPtr make_list_contents(const ItemList* list);
ExprPtr make_answer(const World& world);
ExprPtr make_mouse(scratch::Op op, const World& world);
ExprPtr make_timer(const World& world);
ExprPtr make_days_since_2000(const World& world);
ExprPtr make_costume(const Actor& actor, bool number);

}  // namespace sb3lm::eval
