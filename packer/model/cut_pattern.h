// How text is cut into pieces by a pattern, as data: a list of alternatives, each a short row of
// runs of letters. This is as much of regular expressions as tokenizers use; pattern.h reads it
// from their text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/unicode.h"

namespace sb3lm {

/// A set of letters: some classes, some ranges, or all but those.
struct LetterSet {
  std::uint32_t classes = 0;  // a bit for each LetterClass
  std::vector<std::pair<char32_t, char32_t>> ranges;
  bool negated = false;

  bool has(char32_t letter) const;
  bool operator==(const LetterSet&) const = default;
};

/// `least` to `most` letters of a set, as many as there are.
struct LetterRun {
  static constexpr int kNoLimit = 1 << 30;
  int set = 0;  // of CutStep::sets
  int least = 1, most = 1;

  bool operator==(const LetterRun&) const = default;
};

struct CutAlternative {
  std::vector<LetterRun> runs;
  int not_before = -1;  // a set: its letters must not follow; -1: anything may

  bool operator==(const CutAlternative&) const = default;
};

/// From left to right, the first alternative that fits makes a piece of what it matches; letters
/// between two matches are a piece too.
struct CutStep {
  std::string pattern;  // as a regular expression
  std::vector<LetterSet> sets;
  std::vector<CutAlternative> alternatives;
  bool drops_matches = false, drops_others = false;  // such pieces give no tokens

  bool operator==(const CutStep&) const = default;
};

/// The pieces of a text after the steps: the next one cuts the pieces of the one before.
std::vector<std::string_view> cut_by_steps(const std::vector<CutStep>& steps,
                                           std::string_view text);

}  // namespace sb3lm
