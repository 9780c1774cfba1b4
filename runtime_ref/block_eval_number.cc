// Arithmetic, list items and sums.
#include <cmath>

#include "base/error.h"
#include "runtime_ref/block_eval_expr.h"

namespace sb3lm::eval {
namespace {

using scratch::Op;

struct Add {
  static double of(double a, double b) { return a + b; }
};
struct Subtract {
  static double of(double a, double b) { return a - b; }
};
struct Multiply {
  static double of(double a, double b) { return a * b; }
};
struct Divide {
  static double of(double a, double b) { return a / b; }
};
struct Mod {
  static double of(double a, double b) { return floored_mod(a, b); }
};

template <class Rule>
class Binary final : public NumberExpr {
 public:
  Binary(ExprPtr left, ExprPtr right) : left_(std::move(left)), right_(std::move(right)) {}
  double raw(const Scope& scope) const override {
    const double left = left_->number(scope);
    return Rule::of(left, right_->number(scope));
  }

 private:
  ExprPtr left_, right_;
};

using Function = double (*)(double);

class Unary final : public NumberExpr {
 public:
  Unary(Function function, ExprPtr operand) : function_(function), operand_(std::move(operand)) {}
  double raw(const Scope& scope) const override { return function_(operand_->number(scope)); }

 private:
  Function function_;
  ExprPtr operand_;
};

class NamedFunction final : public NumberExpr {
 public:
  NamedFunction(std::string name, ExprPtr operand)
      : name_(std::move(name)), operand_(std::move(operand)) {}
  double raw(const Scope& scope) const override {
    return math_function(name_, operand_->number(scope));
  }

 private:
  std::string name_;
  ExprPtr operand_;
};

// Scratch's rule: whole numbers if both ends are written without a decimal point.
bool is_whole(const Value& value) {
  if (value.is_number()) return !(std::floor(value.number()) != value.number());
  return value.is_boolean() || value.str().find('.') == std::string::npos;
}

class Random final : public NumberExpr {
 public:
  Random(World& world, ExprPtr from, ExprPtr to)
      : world_(world), from_(std::move(from)), to_(std::move(to)) {}
  double raw(const Scope& scope) const override {
    const Value from = from_->value(scope), to = to_->value(scope);
    const double low = std::fmin(to_number(from), to_number(to));
    const double high = std::fmax(to_number(from), to_number(to));
    if (low == high) return low;
    const double unit = std::ldexp(static_cast<double>(world_.random() >> 11), -53);
    if (is_whole(from) && is_whole(to)) return low + std::floor(unit * (high + 1 - low));
    return unit * (high - low) + low;
  }

 private:
  World& world_;
  ExprPtr from_, to_;
};

/// item (v + a) of one list * item (w + b) of another: what inner products are made of.
class ItemProduct final : public NumberExpr {
 public:
  ItemProduct(OffsetItem left, OffsetItem right) : left_(left), right_(right) {}
  double raw(const Scope&) const override { return left_.number({}) * right_.number({}); }
  const OffsetItem& left() const { return left_; }
  const OffsetItem& right() const { return right_; }

 private:
  OffsetItem left_, right_;
};

// A stretch of a sum's terms. What it gives may be NaN; it takes a NaN for 0, as `+` does.
class Stretch {
 public:
  virtual ~Stretch() = default;
  virtual double add_to(double sum, const Scope& scope) const = 0;
};

class SingleTerm final : public Stretch {
 public:
  explicit SingleTerm(Term term) : term_(std::move(term)) {}
  double add_to(double sum, const Scope& scope) const override {
    const double value = term_.expr->number(scope);
    return term_.negative ? clean(sum) - value : clean(sum) + value;
  }

 private:
  Term term_;
};

// An index in bounds of an array of numbers, or the general way.
inline double fetch(const ItemList& list, const double* items, double size, double index) {
  if (items != nullptr && index >= 1 && index < size + 1) {
    return clean(items[static_cast<std::size_t>(index) - 1]);
  }
  return list.number(clean(index));
}

struct Pair {
  double first, second;
};

// Table lookups that differ only in their constants.
class LookupStretch final : public Stretch {
 public:
  explicit LookupStretch(const TableLookup& lookup)
      : table_(*lookup.table()),
        codes_(*lookup.code().list()),
        variable_(lookup.code().variable()) {
    take(lookup);
  }
  bool take(const TableLookup& lookup) {
    const OffsetItem& code = lookup.code();
    if (lookup.table() != &table_ || code.list() != &codes_ || code.variable() != variable_) {
      return false;
    }
    offsets_.push_back({code.offset(), lookup.extra()});
    return true;
  }
  double add_to(double sum, const Scope&) const override {
    const double base = variable_ ? to_number(*variable_) : 0.0;
    const double *codes = codes_.numbers(), *table = table_.numbers();
    const auto code_count = static_cast<double>(codes_.size());
    const auto table_size = static_cast<double>(table_.size());
    for (const auto& [offset, extra] : offsets_) {
      const double code = fetch(codes_, codes, code_count, base + offset);
      sum = clean(sum) + fetch(table_, table, table_size, code + extra);
    }
    return sum;
  }

 private:
  const ItemList &table_, &codes_;
  const Value* variable_;
  std::vector<Pair> offsets_;
};

// Products of items that differ only in their constants.
class ProductStretch final : public Stretch {
 public:
  explicit ProductStretch(const ItemProduct& product)
      : left_(product.left()), right_(product.right()) {
    take(product);
  }
  bool take(const ItemProduct& product) {
    const auto same = [](const OffsetItem& a, const OffsetItem& b) {
      return a.list() == b.list() && a.variable() == b.variable();
    };
    if (!same(product.left(), left_) || !same(product.right(), right_)) return false;
    offsets_.push_back({product.left().offset(), product.right().offset()});
    return true;
  }
  double add_to(double sum, const Scope&) const override {
    const double left = left_.variable() ? to_number(*left_.variable()) : 0.0;
    const double right = right_.variable() ? to_number(*right_.variable()) : 0.0;
    const double *a = left_.list()->numbers(), *b = right_.list()->numbers();
    const auto a_size = static_cast<double>(left_.list()->size());
    const auto b_size = static_cast<double>(right_.list()->size());
    for (const auto& [first, second] : offsets_) {
      const double x = fetch(*left_.list(), a, a_size, left + first);
      sum = clean(sum) + clean(x * fetch(*right_.list(), b, b_size, right + second));
    }
    return sum;
  }

 private:
  OffsetItem left_, right_;
  std::vector<Pair> offsets_;
};

class Sum final : public NumberExpr {
 public:
  explicit Sum(std::vector<Term> terms) {
    for (Term& term : terms) add(std::move(term));
  }
  double raw(const Scope& scope) const override {
    double sum = -0.0;  // the one start that changes no first term
    for (const auto& stretch : stretches_) sum = stretch->add_to(sum, scope);
    return sum;
  }

 private:
  void add(Term term) {
    if (!term.negative && (add_as<LookupStretch, TableLookup>(*term.expr) ||
                           add_as<ProductStretch, ItemProduct>(*term.expr))) {
      return;
    }
    stretches_.push_back(std::make_unique<SingleTerm>(std::move(term)));
  }
  template <class Kind, class Shape>
  bool add_as(const Expr& expr) {
    const auto* shape = dynamic_cast<const Shape*>(&expr);
    if (shape == nullptr) return false;
    auto* last = stretches_.empty() ? nullptr : dynamic_cast<Kind*>(stretches_.back().get());
    if (last == nullptr || !last->take(*shape)) {
      stretches_.push_back(std::make_unique<Kind>(*shape));
    }
    return true;
  }

  std::vector<std::unique_ptr<Stretch>> stretches_;
};

}  // namespace

Value ItemExpr::value(const Scope& scope) const {
  if (index_->gives_number()) {
    return list_->value(number_to_index(index_->number(scope), list_->size()));
  }
  return list_->value(to_index(index_->value(scope), list_->size()));
}

double ItemExpr::number(const Scope& scope) const {
  if (index_->gives_number()) return list_->number(index_->number(scope));
  return to_number(value(scope));
}

ExprPtr make_arithmetic(Op op, ExprPtr left, ExprPtr right) {
  switch (op) {
    case Op::add:
      return std::make_unique<Binary<Add>>(std::move(left), std::move(right));
    case Op::subtract:
      return std::make_unique<Binary<Subtract>>(std::move(left), std::move(right));
    case Op::divide:
      return std::make_unique<Binary<Divide>>(std::move(left), std::move(right));
    case Op::mod:
      return std::make_unique<Binary<Mod>>(std::move(left), std::move(right));
    default:
      check(op == Op::multiply, "not an arithmetic block");
      break;
  }
  const auto* a = dynamic_cast<const OffsetItem*>(left.get());
  const auto* b = dynamic_cast<const OffsetItem*>(right.get());
  if (a != nullptr && b != nullptr) return std::make_unique<ItemProduct>(*a, *b);
  return std::make_unique<Binary<Multiply>>(std::move(left), std::move(right));
}

ExprPtr make_round(ExprPtr operand) {
  return std::make_unique<Unary>(round_half_up, std::move(operand));
}

ExprPtr make_math(const std::string& function, ExprPtr operand) {
  const std::pair<const char*, Function> kFast[] = {
      {"abs", [](double x) { return std::fabs(x); }},
      {"floor", [](double x) { return std::floor(x); }},
      {"ceiling", [](double x) { return std::ceil(x); }},
      {"sqrt", [](double x) { return std::sqrt(x); }},
  };
  for (const auto& [name, rule] : kFast) {
    if (function == name) return std::make_unique<Unary>(rule, std::move(operand));
  }
  return std::make_unique<NamedFunction>(function, std::move(operand));
}

ExprPtr make_random(World& world, ExprPtr from, ExprPtr to) {
  return std::make_unique<Random>(world, std::move(from), std::move(to));
}

ExprPtr make_offset_item(const ItemList* list, const Value* variable, double offset) {
  return std::make_unique<OffsetItem>(list, variable, offset);
}

ExprPtr make_item(const ItemList* list, ExprPtr index) {
  return std::make_unique<ItemExpr>(list, std::move(index));
}

ExprPtr make_sum(std::vector<Term> terms) {
  check(!terms.empty() && !terms.front().negative, "a sum without a first term");
  return std::make_unique<Sum>(std::move(terms));
}

}  // namespace sb3lm::eval
