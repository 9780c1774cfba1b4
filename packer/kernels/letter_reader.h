// Text to code points, in blocks. Scratch compares texts by the UTF-16 units of their small
// letters, so a letter is found by halving in a sorted text of those that are known, and capitals
// are told from small letters by costumes of their names, the only lookup that minds case. What is
// not known is U+FFFD.
#pragma once

#include <optional>

#include "kernels/letter_tables.h"
#include "model/project_names.h"
#include "model/tokenizer.h"
#include "scratch/script.h"

namespace sb3lm {

/// Variables of a search in rows (LetterTables): the row found, what is between, and what the table
/// says.
struct RowSearch {
  blocks::Var<blocks::Num> row, end, middle, value;
};
/// NAME (number) (first row) (last row): sets the value to what that table says of the number.
blocks::Proc<blocks::Num, blocks::Num, blocks::Num> emit_find_row(
    blocks::Sprite& engine, const char* name, const blocks::List<blocks::Num>& rows,
    const RowSearch& in);

/// Letters of a text: those behind so many, up to that one.
struct LetterSpan {
  blocks::Var<blocks::Num> before, last;
};

class LetterReader {
 public:
  /// Declares the lists, and on the engine's own target one costume per capital. `lowers`: letters
  /// in lowered() are read as small ones.
  LetterReader(blocks::Sprite& engine, const Tokenizer& tokenizer, const LetterTables& tables,
               bool lowers);

  /// read letters (text): fills codes() and classes(), the tokenizer's prefix space included unless
  /// it has rules for that. The text is at the start if `ids` is empty.
  blocks::Proc<blocks::Str> emit(const blocks::List<blocks::Num>& ids);

  const blocks::List<blocks::Num>& codes() const { return codes_; }
  /// Empty unless text is cut by them, or in sections, which have their own. From 1, as an item
  /// that does not exist equals no class.
  const blocks::List<blocks::Num>& classes() const { return classes_; }

  /// None unless the reader `lowers`; nothing while `last` is 0, as it is at first.
  const std::optional<LetterSpan>& lowered() const { return lowered_; }

  /// find in letters (number) (first row) (last row): sets value() to what that table says.
  const blocks::Proc<blocks::Num, blocks::Num, blocks::Num>& find() const { return find_; }
  const blocks::Var<blocks::Num>& value() const { return value_; }

 private:
  using Search = blocks::Proc<blocks::Str, blocks::Num, blocks::Num, blocks::Num>;

  bool has_classes() const;
  blocks::Expr<blocks::Bool> stays_capital(const blocks::Arg<blocks::Num>& at) const;
  bool reads_marks() const;
  void add_costumes();
  void emit_find();
  Search emit_search();
  blocks::Proc<blocks::Str, blocks::Num> emit_read();
  void read_capital(blocks::Script& s, const blocks::Arg<blocks::Str>& text,
                    const blocks::Arg<blocks::Num>& at);
  void read_halves(blocks::Script& s, const Search& search, const blocks::Arg<blocks::Str>& text,
                   const blocks::Arg<blocks::Num>& at);
  void add_code(blocks::Script& s, blocks::Expr<blocks::Num> code);
  void add_prefix_space(blocks::Script& s, const blocks::List<blocks::Num>& ids,
                        const blocks::Proc<blocks::Str, blocks::Num>& read,
                        const blocks::Arg<blocks::Str>& text);

  blocks::Sprite& engine_;
  const Tokenizer& tokenizer_;
  const LetterTables& tables_;
  std::optional<LetterSpan> lowered_;
  int before_capitals_ = 0;  // number of the costume kNoCapital
  blocks::List<blocks::Str> texts_{names::kLetters};
  blocks::List<blocks::Num> rows_{names::kLetterRows}, codes_{"_letter codes"},
      classes_{"_letter classes"};
  blocks::Var<blocks::Num> taken_{"_letters taken"}, place_{"_letter place"}, code_{"_letter code"},
      value_{"_letter value"}, end_{"_letter end"}, middle_{"_letter middle"};
  blocks::Var<blocks::Str> marked_{"_letter marked"};
  blocks::Proc<blocks::Num, blocks::Num, blocks::Num> find_;
};

/// Number of the costume kNoCapital. Throws bug if there is none.
int costume_before_capitals(blocks::Sprite& engine);

}  // namespace sb3lm
