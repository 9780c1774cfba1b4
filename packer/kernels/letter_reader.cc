#include "kernels/letter_reader.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "kernels/text_tables.h"
#include "model/unicode.h"
#include "scratch/letter_costumes.h"

namespace sb3lm {

using namespace blocks;
using scratch::Scalar;

namespace {

// In front of a letter it keeps Scratch from comparing digits and spaces as numbers; being no
// letter itself it does not make a sigma the end of a word, which is another small letter.
Expr<Str> marked(Expr<Str> letter) {
  return join("#", std::move(letter));
}
Expr<Str> marked(char32_t letter) {
  return "#" + utf8(letter);
}

Expr<Bool> is_between(const Var<Str>& one, char32_t below, char32_t above) {
  return text_before(marked(below), one) && text_before(one, marked(above));
}

}  // namespace

int costume_before_capitals(Sprite& engine) {
  const auto& costumes = engine.target().costumes;
  const auto found =
      std::find_if(costumes.begin(), costumes.end(),
                   [](const scratch::Costume& costume) { return costume.name == kNoCapital; });
  check(found != costumes.end(), "letters are printed by a sprite that has none");
  return static_cast<int>(found - costumes.begin()) + 1;
}

LetterReader::LetterReader(Sprite& engine, const Tokenizer& tokenizer, const LetterTables& tables,
                           bool lowers)
    : engine_(engine), tokenizer_(tokenizer), tables_(tables) {
  add_costumes();
  engine.list<Str>(texts_.name, tables.texts);
  engine.list<Num>(rows_.name, tables.rows);
  engine.list<Num>(codes_.name);
  if (has_classes()) engine.list<Num>(classes_.name);
  for (const auto* variable : {&taken_, &place_, &code_, &value_, &end_, &middle_}) {
    engine.var<Num>(variable->name);
  }
  engine.var<Str>(marked_.name, std::string());
  if (lowers) {
    lowered_ = LetterSpan{engine.var<Num>("_lowered before"), engine.var<Num>("_lowered last")};
  }
  emit_find();
}

bool LetterReader::has_classes() const {
  return tokenizer_.split == WordSplit::gpt2 && !in_sections(tokenizer_);
}

// Small letters are found whatever the case, except for the one capital that two letters make.
Expr<Bool> LetterReader::stays_capital(const Arg<Num>& at) const {
  return at > lowered_->last || !(at > lowered_->before) || same_text(marked_, marked(0x130));
}

void LetterReader::add_costumes() {
  for (const scratch::Costume& costume : engine_.target().costumes) {
    check(costume.name.size() > 4, "a costume of the engine is named like a letter");
  }
  before_capitals_ = add_letter_costume(engine_, kNoCapital);
  for (const std::string& capital : tables_.capitals) add_letter_costume(engine_, capital);
}

void LetterReader::emit_find() {
  const auto at = engine_.var<Num>("_letter row");
  find_ = emit_find_row(engine_, "_find in letters", rows_, {at, end_, middle_, value_});
}

Proc<Num, Num, Num> emit_find_row(Sprite& engine, const char* name, const List<Num>& rows,
                                  const RowSearch& in) {
  const auto item = [&](int field) { return rows[in.row * 3 + field]; };
  return engine.define<Num, Num, Num>(
      name, {"number", "first row", "last row"},
      [&](Script& s, Arg<Num> number, Arg<Num> first, Arg<Num> last) {
        s.set(in.row, first + 0);
        s.set(in.end, last + 0);
        s.repeat_until(!(in.row < in.end), [&](Script& s) {
          s.set(in.middle, floor((in.row + in.end + 1) / 2));
          s.when_else(
              rows[in.middle * 3 + 1] > number, [&](Script& s) { s.set(in.end, in.middle - 1); },
              [&](Script& s) { s.set(in.row, in.middle + 0); });
        });
        s.set(in.value, item(2) + (number - item(1)) * item(3));
      });
}

// search letters (marked) (item) (first) (count): sets the place to the letter's number among so
// many of an item's letters, every second one from the first on, or to 0.
LetterReader::Search LetterReader::emit_search() {
  return engine_.define<Str, Num, Num, Num>(
      "_search letters", {"marked", "item", "first", "count"},
      [&](Script& s, Arg<Str> one, Arg<Num> item, Arg<Num> first, Arg<Num> count) {
        const auto known = [&](const Var<Num>& number) {
          return marked(letter(first + number * 2, texts_[item + 0]));
        };
        s.set(place_, 0);
        s.set(end_, count + 0);
        s.repeat_until(!(place_ < end_), [&](Script& s) {
          s.set(middle_, floor((place_ + end_) / 2));
          s.when_else(
              text_before(known(middle_), one), [&](Script& s) { s.set(place_, middle_ + 1); },
              [&](Script& s) { s.set(end_, middle_ + 0); });
        });
        s.when_else(
            same_text(known(place_), one), [&](Script& s) { s.change(place_, 1); },
            [&](Script& s) { s.set(place_, 0); });
      });
}

// read letter (text) (at): sets the code point and how many of Scratch's letters it takes.
Proc<Str, Num> LetterReader::emit_read() {
  const Search search = emit_search();
  return engine_.define<Str, Num>(
      "_read letter", {"text", "at"}, [&](Script& s, Arg<Str> text, Arg<Num> at) {
        s.set(marked_, marked(letter(at, text)));
        s.set(taken_, 1);
        s.set(code_, kReplacement);
        s.when_else(
            is_between(marked_, 0xD7FF, 0xE000),
            [&](Script& s) { read_halves(s, search, text, at); },
            [&](Script& s) {
              s.set(place_, 0);
              const auto capital = [&](Script& s) { read_capital(s, text, at); };
              lowered_ ? s.when(stays_capital(at), capital) : capital(s);
              s.when(place_ == 0, [&](Script& s) {
                s.call(search, marked_, LetterTables::kSmall, 1, tables_.small);
              });
              s.when(place_ > 0, [&](Script& s) {
                s.call(find_, place_ + 0, tables_.places.first, tables_.places.last);
                s.set(code_, value_);
              });
            });
        if (reads_marks()) {
          s.when(code_ == static_cast<double>(kSpaceMark), [&](Script& s) { s.set(code_, ' '); });
        }
      });
}

// Sections see to it themselves; letters that are only looked up are found as either.
bool LetterReader::reads_marks() const {
  return tokenizer_.mark_is_space && !in_sections(tokenizer_) &&
         (tokenizer_.prefix_unless_space || piece_cut(tokenizer_) != Cut::none);
}

// A name that is not found changes nothing, but digits and spaces are numbers of costumes. Other
// letters may have costumes too, for the loader.
void LetterReader::read_capital(Script& s, const Arg<Str>& text, const Arg<Num>& at) {
  const auto last = before_capitals_ + static_cast<int>(tables_.capitals.size());
  s.when(text_before(marked('@'), marked_), [&](Script& s) {
    s.switch_costume(kNoCapital);
    s.switch_costume(letter(at, text));
    s.when(costume_number() > before_capitals_ && costume_number() < last + 1, [&](Script& s) {
      s.set(place_, costume_number() + (tables_.small - before_capitals_));
    });
  });
}

void LetterReader::read_halves(Script& s, const Search& search, const Arg<Str>& text,
                               const Arg<Num>& at) {
  const auto first = engine_.var<Num>("_letter first half");
  s.call(search, marked_, LetterTables::kHalves, 1, kFirstHalves);
  s.set(first, place_);
  s.call(search, marked(letter(at + 1, text)), LetterTables::kHalves, 2, kSecondHalves);
  s.when(place_ > 0, [&](Script& s) {
    s.set(taken_, 2);
    s.when(first > 0, [&](Script& s) { s.set(code_, first * 1024 + place_ + (0x10000 - 1025)); });
  });
}

void LetterReader::add_code(Script& s, Expr<Num> code) {
  s.append(codes_, copy(code));
  if (!has_classes()) return;
  s.call(find_, std::move(code) + 0, tables_.classes.first, tables_.classes.last);
  s.append(classes_, value_);
}

void LetterReader::add_prefix_space(Script& s, const List<Num>& ids, const Proc<Str, Num>& read,
                                    const Arg<Str>& text) {
  auto wanted = length(text) > 0;
  if (tokenizer_.prefix_only_at_start) wanted = std::move(wanted) && ids.length() == 0;
  s.when(std::move(wanted), [&](Script& s) {
    if (!tokenizer_.prefix_unless_space) {
      add_code(s, ' ');
      return;
    }
    s.call(read, text, 1);
    s.when(!(code_ == ' '), [&](Script& s) { add_code(s, ' '); });
  });
}

Proc<Str> LetterReader::emit(const List<Num>& ids) {
  const auto at = engine_.var<Num>("_letter at");
  const auto read = emit_read();
  return engine_.define<Str>("_read letters", {"text"}, [&](Script& s, Arg<Str> text) {
    s.clear(codes_);
    if (has_classes()) s.clear(classes_);
    const bool adds_space =
        tokenizer_.prefix_space && !tokenizer_.rules.present && !in_sections(tokenizer_);
    if (adds_space) add_prefix_space(s, ids, read, text);
    s.set(at, 1);
    s.repeat_until(at > length(text), [&](Script& s) {
      s.call(read, text, at + 0);
      add_code(s, code_);
      s.change(at, taken_);
    });
    s.switch_costume(kNoCapital);
  });
}

}  // namespace sb3lm
