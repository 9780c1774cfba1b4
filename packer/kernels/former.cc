#include "kernels/former.h"

#include <utility>
#include <vector>

#include "kernels/rule_tables.h"

namespace sb3lm {

using namespace blocks;

namespace {

constexpr double kSteps[] = {1, 2, 0};
constexpr int kFirstMark = 0x300;  // nothing below joins what comes before it, or has an order

/// Letters that stay as they are, up to here.
int first_changed(NormalForm form) {
  return form == NormalForm::nfc ? 0xC0 : 0xA0;
}

TextRules rules_of(const FormTables& tables) {
  TextRules rules;
  rules.letters = tables.letters;
  for (const auto& [pair, result] : tables.pairs) {
    rules.pairs.push_back({pair.first, pair.second, false, result});
  }
  return rules;
}

Expr<Bool> is_between(const Arg<Num>& letter, int first, int last) {
  return letter > first - 1 && letter < last + 1;
}

}  // namespace

LetterFormer::LetterFormer(Sprite& engine, NormalForm form, const List<Num>& typed,
                           const List<Num>& out)
    : engine_(engine), form_(form), typed_(typed), out_(out) {
  declare();
  find_ = emit_find_row(engine_, "_find form", rows_, {row_, end_, middle_, value_});
  emit_add();
  emit_join();
}

void LetterFormer::declare() {
  const FormTables& tables = form_tables(form_);
  RuleTables rules = rule_tables(rules_of(tables));
  letters_ = rules.letters;
  marks_ = rules.marks;
  std::vector<RowEntry> orders;
  for (char32_t c = 0; c <= kLastRuleLetter; ++c) {
    const auto found = tables.orders.find(c);
    orders.emplace_back(c, found == tables.orders.end() ? 0 : found->second);
  }
  orders_ = append_rows(rules.rows, orders, kSteps);
  engine_.list<Num>(rows_.name, std::move(rules.rows));
  engine_.list<Num>(texts_.name, std::move(rules.texts));
  engine_.list<Num>(pairs_.name, std::move(rules.pairs));
  engine_.list<Num>(results_.name, std::move(rules.results));
  for (const auto* list : {&parts_, &part_orders_}) engine_.list<Num>(list->name);
  for (const auto* variable : {&at_, &code_, &value_, &row_, &end_, &middle_, &count_, &order_,
                               &start_, &last_, &result_, &place_}) {
    engine_.var<Num>(variable->name);
  }
}

// read part (code): a mark goes before those of a higher order.
void LetterFormer::emit_add() {
  add_ = engine_.define<Num>("_read part", {"code"}, [&](Script& s, Arg<Num> code) {
    s.set(order_, 0);
    s.when(code > kFirstMark - 1, [&](Script& s) {
      s.call(find_, code, orders_.first, orders_.last);
      s.set(order_, value_);
    });
    s.set(place_, part_orders_.length() + 1);
    s.when(order_ > 0, [&](Script& s) {
      s.repeat_until(!(part_orders_[place_ - 1] > order_),
                     [&](Script& s) { s.change(place_, -1); });
    });
    s.insert(parts_, code + 0, place_ + 0);
    s.insert(part_orders_, order_, place_ + 0);
  });
}

// find composed (left) (right): sets the result, 0 if they do not join.
void LetterFormer::emit_join() {
  join_ = engine_.define<Num, Num>(
      "_find composed", {"left", "right"}, [&](Script& s, Arg<Num> left, Arg<Num> right) {
        s.set(result_, 0);
        join_hangul(s, left, right);
        s.call(find_, right, marks_.first, marks_.last);
        s.when(value_ > 0, [&](Script& s) {
          s.set(value_, (value_ - 1) * (kLastRuleLetter + 1) + left);
          s.set(row_, 1);
          s.set(end_, pairs_.length());
          s.repeat_until(!(row_ < end_), [&](Script& s) {
            s.set(middle_, floor((row_ + end_) / 2));
            s.when_else(
                pairs_[middle_] < value_, [&](Script& s) { s.set(row_, middle_ + 1); },
                [&](Script& s) { s.set(end_, middle_ + 0); });
          });
          s.when(pairs_[row_] == value_, [&](Script& s) { s.set(result_, results_[row_] + 0); });
        });
      });
}

void LetterFormer::join_hangul(Script& s, const Arg<Num>& left, const Arg<Num>& right) {
  s.when(is_between(left, 0x1100, 0x1112) && is_between(right, 0x1161, 0x1175), [&](Script& s) {
    s.set(result_, ((left - 0x1100) * 21 + (right - 0x1161)) * 28 + 0xAC00);
  });
  s.when((is_between(left, 0xAC00, 0xD7A3) && mod(left - 0xAC00, 28) == 0) &&
             is_between(right, 0x11A8, 0x11C2),
         [&](Script& s) { s.set(result_, left + (right - 0x11A7)); });
}

void LetterFormer::split_syllable(Script& s) {
  const auto add = [&](Script& s, Expr<Num> part) {
    s.append(parts_, std::move(part));
    s.append(part_orders_, 0);
  };
  s.set(value_, code_ - 0xAC00);
  add(s, floor(value_ / 588) + 0x1100);
  add(s, floor(mod(value_, 588) / 28) + 0x1161);
  s.when(mod(value_, 28) > 0, [&](Script& s) { add(s, mod(value_, 28) + 0x11A7); });
}

// read parts: those of the code.
Proc<> LetterFormer::emit_decompose() {
  return engine_.define<>("_read parts", {}, [&](Script& s) {
    s.when_else(
        code_ > 0xABFF && code_ < 0xD7A4, [&](Script& s) { split_syllable(s); },
        [&](Script& s) {
          s.call(find_, code_, letters_.first, letters_.last);
          s.when_else(
              value_ > kLastRuleLetter,
              [&](Script& s) {
                s.set(result_, value_ - kLastRuleLetter);
                s.set(count_, texts_[result_] + 0);
                s.repeat(count_, [&](Script& s) {
                  s.change(result_, 1);
                  s.call(add_, texts_[result_ + 0]);
                });
              },
              [&](Script& s) {
                s.set(result_, value_);
                s.call(add_, result_);
              });
        });
  });
}

// read composed: the parts, with each mark that may joined to the letter that it belongs to.
Proc<> LetterFormer::emit_compose() {
  return engine_.define<>("_read composed", {}, [&](Script& s) {
    for (const auto* variable : {&start_, &last_}) s.set(*variable, 0);
    s.set(at_, 1);
    s.repeat(parts_.length(), [&](Script& s) {
      s.set(code_, parts_[at_ + 0] + 0);
      s.set(order_, part_orders_[at_ + 0] + 0);
      s.set(result_, 0);
      s.when((code_ > kFirstMark - 1 && start_ > 0) && (last_ == 0 || last_ < order_),
             [&](Script& s) { s.call(join_, out_[start_ + 0], code_); });
      s.when_else(
          result_ > 0, [&](Script& s) { s.replace(out_, start_ + 0, result_); },
          [&](Script& s) {
            s.append(out_, code_);
            s.when(order_ == 0, [&](Script& s) { s.set(start_, out_.length()); });
            s.set(last_, order_);
          });
      s.change(at_, 1);
    });
  });
}

Proc<Num, Num> LetterFormer::emit() {
  const auto decompose = emit_decompose();
  const auto compose = emit_compose();
  return engine_.define<Num, Num>("_read form", {"from", "to"},
                                  [&](Script& s, Arg<Num> from, Arg<Num> to) {
                                    for (const auto* list : {&parts_, &part_orders_}) {
                                      s.clear(*list);
                                    }
                                    s.clear(out_);
                                    s.set(at_, from + 0);
                                    s.repeat(to + 1 - from, [&](Script& s) {
                                      s.set(code_, typed_[at_ + 0] + 0);
                                      s.when_else(
                                          code_ < first_changed(form_),
                                          [&](Script& s) {
                                            s.append(parts_, code_);
                                            s.append(part_orders_, 0);
                                          },
                                          [&](Script& s) { s.call(decompose); });
                                      s.change(at_, 1);
                                    });
                                    s.call(compose);
                                  });
}

}  // namespace sb3lm
