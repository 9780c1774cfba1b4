// From typed letters to pieces as Hugging Face's library does it (model/whole_tokens.h), in blocks:
// sections between added tokens, in a normal form, with a space in front, cut by patterns.
#pragma once

#include <optional>

#include "kernels/cut_tables.h"
#include "kernels/former.h"
#include "kernels/letter_reader.h"
#include "kernels/rewriter.h"
#include "kernels/step_cutter.h"
#include "kernels/text_tables.h"
#include "model/tokenizer.h"
#include "scratch/script.h"

namespace sb3lm {

/// What of tokenizers in sections (text_tables.h) the blocks cannot do; empty: nothing.
std::string lacks_in_sections(const Tokenizer& tokenizer);

class SectionCutter {
 public:
  /// `classes`: rows of the reader's tables that tell a letter's class.
  SectionCutter(blocks::Sprite& engine, const Tokenizer& tokenizer, const LetterReader& reader,
                const CutTables& cuts, LetterTables::Table classes);

  /// The letters of a section, which pieces are made of.
  const blocks::List<blocks::Num>& codes() const { return codes_; }

  /// _merge pieces: calls `merge_piece` with the first and last letter of each piece, and appends
  /// whole tokens to `ids`.
  blocks::Proc<> emit(const blocks::Proc<blocks::Num, blocks::Num>& merge_piece,
                      const blocks::List<blocks::Num>& ids);

 private:
  using Part = blocks::Proc<blocks::Num, blocks::Num>;

  Part emit_read(const blocks::List<blocks::Num>& ids);
  void add_prefix(blocks::Script& s, const blocks::List<blocks::Num>& ids);
  void add_classes(blocks::Script& s);
  void between_wholes(blocks::Script& s, const WholeFinder& whole,
                      const blocks::List<blocks::Num>& letters, const char* name, const Part& part,
                      const blocks::List<blocks::Num>& ids);

  blocks::Sprite& engine_;
  const Tokenizer& tokenizer_;
  const LetterReader& reader_;
  const CutTables& cuts_;
  LetterTables::Table class_rows_;
  bool wholes_are_normal_;
  blocks::List<blocks::Num> codes_{"_section letters"}, classes_{"_section classes"};
  blocks::Var<blocks::Num> at_{"_section at"};
  std::optional<LetterFormer> former_;
};

}  // namespace sb3lm
