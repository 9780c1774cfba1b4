#include "kernels/rewriter.h"

#include <utility>

#include "kernels/rule_tables.h"

namespace sb3lm {

using namespace blocks;

namespace {

constexpr double kNothing = -1;  // no letter is held back
constexpr int kSpace = ' ';

bool has_space(const Tokenizer& tokenizer) {
  for (const auto& [text, id] : tokenizer.whole) {
    if (text.find(' ') != text.npos) return true;
  }
  return false;
}

}  // namespace

WholeFinder::WholeFinder(Sprite& engine, const Tokenizer& tokenizer, const List<Num>& letters,
                         bool typed)
    : any_(!tokenizer.whole.empty()),
      starts_("_token whole starts"),
      places_("_token whole places"),
      texts_(names::kTokenWhole),
      size_("_whole size"),
      id_("_whole id") {
  if (!any_) return;
  if (!typed) {
    for (const auto* variable : {&size_, &id_}) engine.var<Num>(variable->name);
  }
  // Where a token has a space, what is typed has a table of its own.
  if (typed && has_space(tokenizer)) {
    for (auto* list : {&starts_, &places_, &texts_}) list->name += " typed";
  }
  if (!typed || has_space(tokenizer)) {
    WholeTables tables = whole_tables(tokenizer, typed);
    engine.list<Num>(starts_.name, std::move(tables.starts));
    engine.list<Num>(places_.name, std::move(tables.places));
    engine.list<Num>(texts_.name, std::move(tables.texts));
  }
  emit(engine, letters, typed ? "_find whole typed" : "_find whole");
}

void WholeFinder::emit(Sprite& engine, const List<Num>& letters, const char* name) {
  const Var<Num> place("_whole place"), k("_whole letter");
  if (name == std::string("_find whole")) {
    for (const auto* variable : {&place, &k}) engine.var<Num>(variable->name);
  }
  find_ = engine.define<Num>(name, {"at"}, [&](Script& s, Arg<Num> at) {
    s.set(size_, 0);
    s.set(place, starts_.index_of(letters[at + 0]));
    s.when(place > 0, [&](Script& s) {
      s.set(place, places_[place] + 0);
      s.repeat_until(texts_[place] == 0 || size_ > 0, [&](Script& s) {
        s.set(k, 1);
        s.repeat_until(k > texts_[place] || !(texts_[place + k] == letters[at + k - 1]),
                       [&](Script& s) { s.change(k, 1); });
        s.when_else(
            k > texts_[place],
            [&](Script& s) {
              s.set(size_, texts_[place] + 0);
              s.set(id_, texts_[place + k] + 0);
            },
            [&](Script& s) { s.change(place, texts_[place] + 2); });
      });
    });
  });
}

LetterRewriter::LetterRewriter(Sprite& engine, const Tokenizer& tokenizer,
                               const LetterReader& reader)
    : engine_(engine), tokenizer_(tokenizer), typed_(reader.codes()) {
  declare();
  find_ = emit_find_row(engine_, "_find rule", rows_, {row_, end_, middle_, value_});
  emit_put();
  if (joins()) emit_join();
}

bool LetterRewriter::joins() const {
  return tokenizer_.rules.hangul || !tokenizer_.rules.pairs.empty();
}

void LetterRewriter::declare() {
  RuleTables tables = rule_tables(tokenizer_.rules);
  letters_ = tables.letters;
  marks_ = tables.marks;
  mark_count_ = tables.mark_count;
  engine_.list<Num>(codes_.name);
  engine_.list<Num>(rows_.name, std::move(tables.rows));
  engine_.list<Num>(texts_.name, std::move(tables.texts));
  if (mark_count_ > 0) {
    engine_.list<Num>(pairs_.name, std::move(tables.pairs));
    engine_.list<Num>(results_.name, std::move(tables.results));
  }
  for (const auto* variable : {&at_, &value_, &count_, &row_, &end_, &middle_}) {
    engine_.var<Num>(variable->name);
  }
  if (tokenizer_.rules.collapse_spaces) engine_.var<Num>(after_space_.name);
  if (!joins()) return;
  for (const auto* variable : {&held_, &joined_, &result_}) engine_.var<Num>(variable->name);
}

// read out (code): appends a letter that no rule changes any more. U+2581 becomes a space that is
// not dropped beside others.
void LetterRewriter::emit_put() {
  const auto append = [&](Script& s, Expr<Num> code, int is_space) {
    s.append(codes_, std::move(code));
    if (tokenizer_.rules.collapse_spaces) s.set(after_space_, is_space);
  };
  const auto mark = static_cast<double>(kSpaceMark);
  put_ = engine_.define<Num>("_read out", {"code"}, [&](Script& s, Arg<Num> code) {
    s.when_else(
        code == mark, [&](Script& s) { append(s, kSpace, 0); },
        [&](Script& s) {
          if (!tokenizer_.rules.collapse_spaces) {
            s.append(codes_, code + 0);
            return;
          }
          s.when_else(
              code == kSpace,
              [&](Script& s) {
                s.when(after_space_ == 0, [&](Script& s) { append(s, kSpace, 1); });
              },
              [&](Script& s) { append(s, code + 0, 0); });
        });
  });
}

// find joined (left) (right): sets the result, 0 if they do not join.
void LetterRewriter::emit_join() {
  join_ = engine_.define<Num, Num>("_find joined", {"left", "right"},
                                   [&](Script& s, Arg<Num> left, Arg<Num> right) {
                                     s.set(result_, 0);
                                     if (tokenizer_.rules.hangul) join_hangul(s, left, right);
                                     if (mark_count_ > 0) look_up_pair(s, left, right);
                                   });
}

void LetterRewriter::join_hangul(Script& s, const Arg<Num>& left, const Arg<Num>& right) {
  const auto is_between = [](const Arg<Num>& letter, int first, int last) {
    return letter > first - 1 && letter < last + 1;
  };
  s.when_else(
      joined_ == 0,
      [&](Script& s) {
        s.when(is_between(left, 0x1100, 0x1112) && is_between(right, 0x1161, 0x1175),
               [&](Script& s) {
                 s.set(result_, ((left - 0x1100) * 21 + (right - 0x1161)) * 28 + 0xAC00);
               });
      },
      [&](Script& s) {
        s.when((is_between(left, 0xAC00, 0xD7A3) && mod(left - 0xAC00, 28) == 0) &&
                   is_between(right, 0x11A8, 0x11C2),
               [&](Script& s) { s.set(result_, left + (right - 0x11A7)); });
      });
}

void LetterRewriter::look_up_pair(Script& s, const Arg<Num>& left, const Arg<Num>& right) {
  s.call(find_, right, marks_.first, marks_.last);
  s.when(value_ > 0, [&](Script& s) {
    const auto key = [&] {
      return (value_ - 1 + joined_ * mark_count_) * (kLastRuleLetter + 1) + left;
    };
    s.set(value_, key());
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
}

void LetterRewriter::release(Script& s) {
  if (!joins()) return;
  s.when(held_ > kNothing, [&](Script& s) {
    s.call(put_, held_);
    s.set(held_, kNothing);
  });
}

// Sets the value to what the letter becomes and the count to 1, or the value to where in the texts
// its letters lie and the count to their number.
void LetterRewriter::read_rule(Script& s) {
  s.call(find_, typed_[at_ + 0], letters_.first, letters_.last);
  s.set(count_, 1);
  s.when(value_ > static_cast<double>(kLastRuleLetter), [&](Script& s) {
    s.change(value_, -static_cast<double>(kLastRuleLetter));
    s.set(count_, texts_[value_] + 0);
    s.when(count_ == 1, [&](Script& s) { s.set(value_, texts_[value_ + 1] + 0); });
  });
}

void LetterRewriter::take_letter(Script& s) {
  s.when_else(
      count_ == 1,
      [&](Script& s) {
        if (!joins()) {
          s.call(put_, value_);
          return;
        }
        s.set(held_, value_);
        s.set(joined_, 0);
      },
      [&](Script& s) {
        s.repeat(count_, [&](Script& s) {
          s.change(value_, 1);
          s.call(put_, texts_[value_ + 0]);
        });
      });
  s.change(at_, 1);
}

void LetterRewriter::take(Script& s, const WholeFinder& whole) {
  release(s);
  if (!whole.any()) {
    take_letter(s);
    return;
  }
  s.call(whole.find(), at_);
  s.when_else(
      whole.size() > 0,
      [&](Script& s) {
        s.repeat(whole.size(), [&](Script& s) {
          s.call(put_, typed_[at_ + 0]);
          s.change(at_, 1);
        });
      },
      [&](Script& s) { take_letter(s); });
}

Proc<> LetterRewriter::emit() {
  const WholeFinder whole(engine_, tokenizer_, typed_, true);
  return engine_.define<>("_read by rules", {}, [&](Script& s) {
    s.clear(codes_);
    if (tokenizer_.rules.collapse_spaces) s.set(after_space_, 1);
    if (joins()) s.set(held_, kNothing);
    if (tokenizer_.prefix_space) {
      s.when(typed_.length() > 0, [&](Script& s) { s.append(codes_, kSpace); });
    }
    s.set(at_, 1);
    s.repeat_until(at_ > typed_.length(), [&](Script& s) {
      read_rule(s);
      if (!joins()) {
        take(s, whole);
        return;
      }
      s.set(result_, 0);
      s.when(held_ > kNothing && count_ == 1, [&](Script& s) {
        const auto value = engine_.var<Num>("_rule own value");
        s.set(value, value_);
        s.call(join_, held_, value);
        s.set(value_, value);
      });
      s.when_else(
          result_ > 0,
          [&](Script& s) {
            s.set(held_, result_);
            s.set(joined_, 1);
            s.change(at_, 1);
          },
          [&](Script& s) { take(s, whole); });
    });
    release(s);
    if (!tokenizer_.rules.collapse_spaces) return;
    s.repeat_until(!(codes_[codes_.length()] == kSpace),
                   [&](Script& s) { s.erase(codes_, codes_.length()); });
  });
}

}  // namespace sb3lm
