// The patterns that cut a text (model/cut_pattern.h) in the form of Scratch lists: letters fall
// into classes that no set tells apart, and a set is a row of yes and no by class. Everything here
// runs while packing; step_cutter.h has the blocks.
#pragma once

#include <string>
#include <vector>

#include "kernels/letter_tables.h"
#include "model/tokenizer.h"
#include "scratch/ir.h"

namespace sb3lm {

/// The steps that cut a tokenizer's text, whatever its WordSplit is.
std::vector<CutStep> cut_steps(const Tokenizer& tokenizer);

struct CutTables {
  std::vector<CutStep> steps;
  std::vector<int> first_set;     // of each step, among the sets of all
  std::vector<RowEntry> classes;  // by letter, from 1
  int class_count = 0;
  std::vector<scratch::Scalar> members;  // by set and class, that of no letter, 0, included: 1 or 0

  /// Which item of `members` tells of a class: this plus the class.
  int row_of(int step, int set) const { return (first_set_of(step) + set) * (class_count + 1) + 1; }
  /// Whether a letter is in both sets of a step.
  bool may_share(int step, int a, int b) const;

 private:
  int first_set_of(int step) const { return first_set[static_cast<std::size_t>(step)]; }
};
/// `all`: for letters that nobody can type too.
CutTables cut_tables(const Tokenizer& tokenizer, const TypedLetters& letters, bool all);

/// The run after an unlimited one takes letters of it back where they share some.
bool takes_back(const CutTables& tables, int step, const CutAlternative& in, std::size_t run);

/// What of the patterns the blocks cannot do; empty: nothing.
std::string lacks_in_cuts(const Tokenizer& tokenizer);

}  // namespace sb3lm
