// Letters in a normal form of Unicode (model/normal_form.h), in blocks: decomposed, marks in order,
// composed again.
#pragma once

#include "kernels/letter_reader.h"
#include "kernels/letter_tables.h"
#include "model/tokenizer.h"
#include "scratch/script.h"

namespace sb3lm {

class LetterFormer {
 public:
  /// From the letters of one list into another, whose items go first.
  LetterFormer(blocks::Sprite& engine, NormalForm form, const blocks::List<blocks::Num>& typed,
               const blocks::List<blocks::Num>& out);

  /// _read form (from) (to)
  blocks::Proc<blocks::Num, blocks::Num> emit();

 private:
  void declare();
  void emit_add();
  void emit_join();
  void join_hangul(blocks::Script& s, const blocks::Arg<blocks::Num>& left,
                   const blocks::Arg<blocks::Num>& right);
  blocks::Proc<> emit_decompose();
  blocks::Proc<> emit_compose();
  void split_syllable(blocks::Script& s);

  blocks::Sprite& engine_;
  NormalForm form_;
  const blocks::List<blocks::Num>&typed_, &out_;
  LetterTables::Table letters_, orders_, marks_;
  blocks::List<blocks::Num> rows_{"_form rows"}, texts_{"_form texts"}, pairs_{"_form pairs"},
      results_{"_form results"}, parts_{"_form parts"}, part_orders_{"_form part orders"};
  blocks::Var<blocks::Num> at_{"_form at"}, code_{"_form code"}, value_{"_form value"},
      row_{"_form row"}, end_{"_form end"}, middle_{"_form middle"}, count_{"_form count"},
      order_{"_form order"}, start_{"_form start"}, last_{"_form last"}, result_{"_form result"},
      place_{"_form place"};
  blocks::Proc<blocks::Num, blocks::Num, blocks::Num> find_;
  blocks::Proc<blocks::Num> add_;
  blocks::Proc<blocks::Num, blocks::Num> join_;
};

}  // namespace sb3lm
