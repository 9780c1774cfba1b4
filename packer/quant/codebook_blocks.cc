#include "quant/codebook_blocks.h"

#include <algorithm>

namespace sb3lm {

using namespace blocks;

namespace {

constexpr int kLargestSum = 4 * 255;  // of the costs of a symbol's codes

// What all codebooks share; declared by the first.
class Shared {
 public:
  explicit Shared(Sprite& engine) : engine_(engine) {
    const auto& procedures = engine.target().procedures;
    const bool there =
        std::any_of(procedures.begin(), procedures.end(),
                    [&](const scratch::Procedure& p) { return p.code == sort_.code; });
    if (there) return;
    for (const auto* list : {&book_, &keys_, &order_, &starts_, &cells_}) {
      engine.list<Num>(list->name);
    }
    for (const auto* variable : {&at_, &number_, &rest_, &next_, &sum_, &weight_, &place_}) {
      engine.var<Num>(variable->name);
    }
    emit_sums();
    emit_sort();
  }

  const List<Num>& book() const { return book_; }
  const List<Num>& keys() const { return keys_; }
  const List<Num>& order() const { return order_; }
  const List<Num>& cells() const { return cells_; }
  const Var<Num>& at() const { return at_; }

  /// keys = for each number below `count` the sum of what `book` has for its digits.
  struct Sums {
    int count, base, places;
    int table_at, step;  // of the first digit's table, and how far the next digit's is
    int factor = 1;      // of the next digit's value against this one's
  };
  void sums(Script& s, const Sums& what) {
    s.call(sums_, what.count, what.base, what.places, what.table_at, what.step, what.factor);
  }
  /// order = the numbers from 0 by their keys.
  void sort(Script& s) { s.call(sort_); }

 private:
  void emit_sums() {
    engine_.define<Num, Num, Num, Num, Num, Num>(
        "_sum digits", {"count", "base", "places", "table at", "step", "factor"},
        [&](Script& s, Arg<Num> count, Arg<Num> base, Arg<Num> places, Arg<Num> table_at,
            Arg<Num> step, Arg<Num> factor) {
          s.clear(keys_);
          s.set(number_, 0);
          s.repeat(count, [&](Script& s) {
            s.set(rest_, number_ + 0);
            s.set(sum_, 0);
            s.set(weight_, 1);
            s.set(place_, table_at + 0);
            s.repeat(places, [&](Script& s) {
              s.set(next_, floor(rest_ / base));
              s.set(sum_, sum_ + weight_ * book_[place_ + (rest_ - next_ * base)]);
              s.set(rest_, next_ + 0);
              s.set(weight_, weight_ * factor);
              s.change(place_, step);
            });
            s.append(keys_, sum_);
            s.change(number_, 1);
          });
        });
  }

  // A counting sort.
  void emit_sort() {
    engine_.define<>("_sort keys", {}, [&](Script& s) {
      s.clear(starts_);
      s.repeat(kLargestSum + 2, [&](Script& s) { s.append(starts_, 0); });
      s.clear(order_);
      for_each_key(s, 2, [&](Script& s) { s.append(order_, 0); });
      s.set(at_, 1);
      s.repeat(kLargestSum + 1, [&](Script& s) {
        s.change(at_, 1);
        s.replace(starts_, at_ + 0, starts_[at_ + 0] + starts_[at_ - 1]);
      });
      for_each_key(s, 1, [&](Script& s) { s.replace(order_, starts_[next_ + 0] + 0, at_ - 1); });
    });
  }

  // starts[key + offset] goes up by one for each key, before the body.
  template <class Body>
  void for_each_key(Script& s, int offset, Body body) {
    s.set(at_, 1);
    s.repeat(keys_.length(), [&](Script& s) {
      s.set(next_, keys_[at_] + offset);
      s.replace(starts_, next_ + 0, starts_[next_ + 0] + 1);
      body(s);
      s.change(at_, 1);
    });
  }

  Sprite& engine_;
  List<Num> book_{"_book"}, keys_{"_book keys"}, order_{"_book order"}, starts_{"_book starts"},
      cells_{"_book cells"};
  Var<Num> at_{"_book at"}, number_{"_book number"}, rest_{"_book rest"}, next_{"_book next"},
      sum_{"_book sum"}, weight_{"_book weight"}, place_{"_book place"};
  Proc<Num, Num, Num, Num, Num, Num> sums_{"_sum digits %s %s %s %s %s %s"};
  Proc<> sort_{"_sort keys"};
};

}  // namespace

Proc<Num> emit_fill_table(Sprite& engine, const DecodeLists& lists, const SymbolShape& shape,
                          const std::string& name, const List<Num>& table) {
  Shared shared(engine);
  const List<Num>&book = shared.book(), &keys = shared.keys(), &order = shared.order(),
        &cells = shared.cells();
  const Var<Num>& at = shared.at();
  const int codes = shape.codes, symbols = shape.symbols(), parts = codes > 16 ? 2 : 1;
  const int lengths_at = codes + 1, bits_at = lengths_at + 16 * shape.digits;
  return engine.define<Num>(name, {"item"}, [&](Script& s, Arg<Num> item) {
    const auto digit = [&](Expr<Num> place) {
      return letter(std::move(place), lists.text[item + 0]);
    };
    const auto count_to = [&](Script& s, int last, auto body) {
      s.repeat(last, [&](Script& s) {
        body(s);
        s.change(at, 1);
      });
    };
    s.clear(book);
    s.set(at, 1);
    count_to(s, codes, [&](Script& s) {
      s.append(book, to_num(join("0x", join(digit(at * 2 - 1), digit(at * 2)))));
    });
    count_to(s, 16 * shape.digits,
             [&](Script& s) { s.append(book, to_num(join("0x", digit(at + codes)))); });
    // For each code the bits of its high digit, then of its low one.
    s.set(at, 0);
    if (parts == 2)
      count_to(s, codes, [&](Script& s) { s.append(book, lists.spread[floor(at / 16) + 1]); });
    s.set(at, 0);
    count_to(s, codes, [&](Script& s) { s.append(book, lists.spread[mod(at, 16) + 1]); });

    shared.sums(s, {shape.cells(), 16, shape.digits, lengths_at, 16});
    shared.sort(s);
    s.clear(cells);
    s.set(at, 1);
    count_to(s, symbols, [&](Script& s) { s.append(cells, order[at]); });
    shared.sums(s, {symbols, codes, shape.weights, 1, 0});
    shared.sort(s);
    s.repeat(shape.cells() * parts, [&](Script& s) { s.append(table, 0); });
    for (int part = 0; part < parts; ++part) {
      shared.sums(s, {symbols, codes, shape.weights, bits_at + part * codes, 0, 2});
      s.set(at, 1);
      count_to(s, symbols, [&](Script& s) {
        s.replace(table, cells[at] + (1 + part * shape.cells()), keys[order[at] + 1]);
      });
    }
    for (const List<Num>* list : {&book, &keys, &order, &cells}) s.clear(*list);
  });
}

}  // namespace sb3lm
