// Token ids to text, in blocks. Nearly every token is a text of its own; the others are bytes that
// are assembled into letters as WHATWG's UTF-8 decoder does (a broken sequence is one U+FFFD), with
// the letters of tokenize.cc's tables; a letter outside them is U+FFFD.
#include <string>
#include <utility>
#include <vector>

#include "kernels/letter_reader.h"
#include "kernels/text.h"
#include "kernels/text_tables.h"
#include "model/project_names.h"
#include "model/unicode.h"

namespace sb3lm {
namespace {

using namespace blocks;
using scratch::Scalar;

class Printer {
 public:
  Printer(Sprite& engine, const Tokenizer& tokenizer, const TypedLetters& letters,
          const Var<Str>& text)
      : engine_(engine),
        tokenizer_(tokenizer),
        letters_(letters),
        text_(text),
        any_bytes_(token_texts(tokenizer).any_bytes()) {
    if (tokenizer.strip_leading_space) engine_.var<Num>(printed_.name);
    if (!any_bytes_) return;
    for (const auto* state : {&missing_, &code_, &low_, &high_, &place_})
      engine_.var<Num>(state->name);
  }

  Proc<> emit_begin() {
    return engine_.define<>("begin text", {}, [&](Script& s) {
      if (tokenizer_.strip_leading_space) s.set(printed_, 0);
      if (any_bytes_) s.set(missing_, 0);
    });
  }

  Proc<Num> emit_print() {
    if (!any_bytes_) {
      return engine_.define<Num>("print token", {"id"}, [&](Script& s, Arg<Num> id) {
        print_text(s, id, token_text_[id + 1]);
      });
    }
    const auto print_byte = emit_print_byte();
    const auto at = engine_.var<Num>("_token byte at");
    return engine_.define<Num>("print token", {"id"}, [&](Script& s, Arg<Num> id) {
      s.set(at, bytes_at_[id + 1] + 0);
      s.when_else(
          at == 0,
          [&](Script& s) {
            flush(s);
            print_text(s, id, token_text_[id + 1]);
          },
          [&](Script& s) {
            s.repeat(bytes_[at], [&](Script& s) {
              s.change(at, 1);
              s.call(print_byte, bytes_[at + 0]);
            });
          });
    });
  }

 private:
  // Whether a space at the token's front may go: not that of a byte, nor what stands for unknown
  // letters, where the tokenizer has rules that tell.
  Expr<Bool> may_lose_space(const Arg<Num>& id) {
    auto may = printed_ == 0;
    return tokenizer_.rules.present ? and_has_mark(std::move(may), id) : std::move(may);
  }

  Expr<Bool> and_has_mark(Expr<Bool> may, const Arg<Num>& id) const {
    for (const int other : {tokenizer_.unknown, tokenizer_.byte_token[' ']}) {
      if (other >= 0) may = std::move(may) && !(id == other);
    }
    return may;
  }

  // Prints a token's text; drops the first space of a reply where the tokenizer does.
  void print_text(Script& s, const Arg<Num>& id, Expr<Str> item) {
    if (tokenizer_.strip_every_token) return print_without_space(s, id, std::move(item));
    if (!tokenizer_.strip_leading_space) {
      s.set(text_, join(text_, std::move(item)));
      return;
    }
    const auto at = engine_.var<Num>("_text at");
    s.when_else(
        may_lose_space(id) && same_text(letter(1, copy(item)), " "),
        [&](Script& s) {
          s.set(at, 2);
          s.repeat(length(copy(item)) - 1, [&](Script& s) {
            s.set(text_, join(text_, letter(at, copy(item))));
            s.change(at, 1);
          });
          if (tokenizer_.strip_each_space) s.when(at > 2, [&](Script& s) { s.set(printed_, 1); });
        },
        [&](Script& s) {
          s.set(text_, join(text_, copy(item)));
          if (tokenizer_.strip_each_space) {
            s.when(length(copy(item)) > 0, [&](Script& s) { s.set(printed_, 1); });
          }
        });
    if (tokenizer_.strip_each_space) return;
    s.when(length(std::move(item)) > 0, [&](Script& s) { s.set(printed_, 1); });
  }

  void print_without_space(Script& s, const Arg<Num>& id, Expr<Str> item) {
    const auto at = engine_.var<Num>("_text at");
    s.set(at, 1);
    s.when(and_has_mark(same_text(letter(1, copy(item)), " "), id),
           [&](Script& s) { s.set(at, 2); });
    s.repeat(length(copy(item)) + 1 - at, [&](Script& s) {
      s.set(text_, join(text_, letter(at, copy(item))));
      s.change(at, 1);
    });
  }

  void print_letter(Script& s, Expr<Str> item) {
    s.set(text_, join(text_, std::move(item)));
    if (tokenizer_.strip_leading_space) s.set(printed_, 1);
  }

  void flush(Script& s) {
    s.when(missing_ > 0, [&](Script& s) {
      s.set(missing_, 0);
      print_letter(s, utf8(kReplacement));
    });
  }

  Proc<Num> emit_print_byte() {
    const auto print_code = emit_print_code();
    return engine_.define<Num>("_print byte", {"byte"}, [&](Script& s, Arg<Num> byte) {
      s.when(byte < low_ || byte > high_, [&](Script& s) { flush(s); });
      s.when_else(
          missing_ > 0,
          [&](Script& s) {
            s.set(code_, code_ * 64 + (byte - 128));
            s.change(missing_, -1);
            expect(s, 128, 191);
            s.when(missing_ == 0, [&](Script& s) { s.call(print_code, code_); });
          },
          [&](Script& s) { start_sequence(s, byte, print_code); });
    });
  }

  void expect(Script& s, int low, int high) {
    s.set(low_, low);
    s.set(high_, high);
  }

  // The first byte of a letter: how many follow, and the range of the next (the Unicode standard's
  // table of well-formed sequences).
  void start_sequence(Script& s, const Arg<Num>& byte, const Proc<Num>& print_code) {
    expect(s, 128, 191);
    const auto bound = [&](Script& s, int lead, const Var<Num>& side, int value) {
      s.when(byte == lead, [&](Script& s) { s.set(side, value); });
    };
    s.when_else(
        byte < 128, [&](Script& s) { s.call(print_code, byte); },
        [&](Script& s) {
          s.when_else(
              byte < 194 || byte > 244, [&](Script& s) { print_letter(s, utf8(kReplacement)); },
              [&](Script& s) {
                s.set(missing_, 1);
                s.set(code_, byte - 192);
                s.when(byte > 223, [&](Script& s) {
                  s.set(missing_, 2);
                  s.set(code_, byte - 224);
                });
                s.when(byte > 239, [&](Script& s) {
                  s.set(missing_, 3);
                  s.set(code_, byte - 240);
                });
                bound(s, 0xE0, low_, 0xA0);
                bound(s, 0xED, high_, 0x9F);
                bound(s, 0xF0, low_, 0x90);
                bound(s, 0xF4, high_, 0x8F);
              });
        });
  }

  // Sets the place of a letter below U+10000, 0 if it is not known: looks at all rows, for letters
  // in one row may lie between those of another.
  Proc<Num> emit_find_place(const LetterTables& tables) {
    const auto row = engine_.var<Num>("_print row"), offset = engine_.var<Num>("_print offset");
    const auto item = [&](int field) { return rows_[row + field]; };
    return engine_.define<Num>("_find place", {"code"}, [&](Script& s, Arg<Num> code) {
      s.set(place_, 0);
      s.set(row, tables.places.first * 3);
      s.repeat(tables.places.last - tables.places.first, [&](Script& s) {
        s.set(offset, (code - item(2)) / item(3));
        s.when((offset > -1 && offset < item(4) - item(1)) && offset == floor(offset),
               [&](Script& s) { s.set(place_, item(1) + offset); });
        s.change(row, 3);
      });
    });
  }

  // Prints the letter of a code point, which is a costume's name, a letter of a text or two halves.
  Proc<Num> emit_print_code() {
    const LetterTables t = letter_tables(letters_, tokenizer_);
    const auto find = emit_find_place(t);
    const auto half = engine_.var<Num>("_print half");
    const auto print_place = [&](Script& s) {
      s.when_else(
          place_ > t.small,
          [&](Script& s) {
            s.switch_costume(to_str(place_ + (costume_before_capitals(engine_) - t.small)));
            print_letter(s, costume_name());
          },
          [&](Script& s) {
            print_letter(s, letter(place_ * 2 - 1, texts_[LetterTables::kSmall]));
          });
    };
    const auto print_halves = [&](Script& s, const Arg<Num>& code) {
      const auto astral = [&](Expr<Num> at) {
        return letter(std::move(at), texts_[LetterTables::kHalves]);
      };
      s.set(half, floor(code / 1024) - 64);
      print_letter(s, join(astral(half * 2 + 1), astral(mod(code, 1024) * 2 + 2)));
    };
    return engine_.define<Num>("_print code point", {"code"}, [&](Script& s, Arg<Num> code) {
      s.call(find, code);
      s.when_else(place_ > 0, print_place, [&](Script& s) {
        s.when_else(
            code > 0xFFFF && code < kLastTyped + 1, [&](Script& s) { print_halves(s, code); },
            [&](Script& s) { print_letter(s, utf8(kReplacement)); });
      });
    });
  }

  Sprite& engine_;
  const Tokenizer& tokenizer_;
  const TypedLetters& letters_;
  const Var<Str>& text_;
  bool any_bytes_;
  List<Str> token_text_{names::kTokenText};
  List<Num> bytes_at_{names::kTokenBytesAt}, bytes_{names::kTokenBytes}, rows_{names::kLetterRows};
  List<Str> texts_{names::kLetters};
  Var<Num> printed_{"_text printed"};
  // Of the sequence being assembled: bytes to come, value so far, range of the next byte.
  Var<Num> missing_{"_utf8 missing"}, code_{"_utf8 code"}, low_{"_utf8 low"}, high_{"_utf8 high"};
  Var<Num> place_{"_print place"};
};

}  // namespace

DetokenizeBlocks emit_detokenize(Sprite& engine, const Tokenizer& tokenizer,
                                 const TypedLetters& letters, const Var<Str>& text) {
  Printer printer(engine, tokenizer, letters, text);
  const auto begin = printer.emit_begin();
  return {begin, printer.emit_print()};
}

}  // namespace sb3lm
