#include "kernels/cut_tables.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>

#include "base/error.h"
#include "model/pattern.h"
#include "model/unicode.h"

namespace sb3lm {
namespace {

constexpr std::size_t kMostSets = 64;  // bits of a signature
constexpr int kMostUnrolled = 8;

bool has(const LetterSet& set, char32_t letter, LetterClass kind) {
  bool found = (set.classes >> static_cast<int>(kind) & 1) != 0;
  for (const auto& [first, last] : set.ranges) found = found || (letter >= first && letter <= last);
  return found != set.negated;
}

std::uint64_t signature(const std::vector<CutStep>& steps, char32_t letter) {
  const LetterClass kind = letter_class(letter);
  std::uint64_t bits = 0;
  int at = 0;
  for (const CutStep& step : steps) {
    for (const LetterSet& set : step.sets) {
      bits |= static_cast<std::uint64_t>(has(set, letter, kind)) << at++;
    }
  }
  return bits;
}

bool may_be_empty(std::span<const LetterRun> runs) {
  return std::all_of(runs.begin(), runs.end(), [](const LetterRun& run) { return run.least == 0; });
}

/// Why the longest run might have to become shorter for what comes after it; empty: it never has to
/// or the blocks can do it.
std::string lacks_in_run(const CutTables& tables, int step, const CutAlternative& in,
                         std::size_t at) {
  const LetterRun& run = in.runs[at];
  if (run.least > kMostUnrolled || (run.most != LetterRun::kNoLimit && run.most > kMostUnrolled)) {
    return "a long repetition";
  }
  if (run.least == run.most) return {};
  const std::span<const LetterRun> rest = std::span(in.runs).subspan(at + 1);
  if (rest.empty()) {
    const bool can_shorten = in.not_before < 0 || run.most == LetterRun::kNoLimit;
    return can_shorten ? "" : "(?!..) after a short repetition";
  }
  if (may_be_empty(rest) && in.not_before < 0) return {};
  for (const LetterRun& next : rest) {
    if (tables.may_share(step, run.set, next.set) && !takes_back(tables, step, in, at)) {
      return "repetitions of the same letters in a row";
    }
    if (next.least > 0) return {};
  }
  return "(?!..) after repetitions";
}

}  // namespace

bool CutTables::may_share(int step, int a, int b) const {
  for (int kind = 1; kind <= class_count; ++kind) {
    const auto is_in = [&](int set) {
      const auto item = static_cast<std::size_t>(row_of(step, set) + kind - 1);
      return std::get<double>(members[item]) > 0;
    };
    if (is_in(a) && is_in(b)) return true;
  }
  return false;
}

std::vector<CutStep> cut_steps(const Tokenizer& tokenizer) {
  const std::string where = "a tokenizer";
  switch (tokenizer.split) {
    case WordSplit::none:
      return {};
    case WordSplit::before_space:
      return {parse_pattern(where, " ?[^ ]+| ")};
    case WordSplit::gpt2:
      return {parse_pattern(where, kGpt2Pattern)};
    case WordSplit::steps:
      return tokenizer.cuts;
  }
  return {};
}

CutTables cut_tables(const Tokenizer& tokenizer, const TypedLetters& letters, bool all) {
  CutTables tables{.steps = cut_steps(tokenizer)};
  std::size_t sets = 0;
  for (const CutStep& step : tables.steps) {
    tables.first_set.push_back(static_cast<int>(sets));
    sets += step.sets.size();
  }
  check(sets <= kMostSets, "more sets of letters than blocks can tell apart");
  std::map<std::uint64_t, int> classes;
  for (char32_t c = 0; c <= kLastTyped; ++c) {
    if (!all && !letters.has(c) && c != kReplacement) continue;
    const auto next = static_cast<int>(classes.size()) + 1;
    const auto kind = classes.emplace(signature(tables.steps, c), next).first->second;
    tables.classes.emplace_back(c, kind);
  }
  tables.class_count = static_cast<int>(classes.size());
  const auto row = static_cast<std::size_t>(tables.class_count) + 1;
  tables.members.assign(sets * row, 0.0);
  for (const auto& [bits, kind] : classes) {
    for (std::size_t set = 0; set < sets; ++set) {
      const auto item = set * row + static_cast<std::size_t>(kind);
      tables.members[item] = static_cast<double>(bits >> set & 1);
    }
  }
  return tables;
}

bool takes_back(const CutTables& tables, int step, const CutAlternative& in, std::size_t run) {
  const std::span<const LetterRun> rest = std::span(in.runs).subspan(run + 1);
  if (rest.empty() || in.runs[run].most != LetterRun::kNoLimit) return false;
  return rest[0].least == 1 && rest[0].most == LetterRun::kNoLimit &&
         may_be_empty(rest.subspan(1)) && in.not_before < 0 &&
         tables.may_share(step, in.runs[run].set, rest[0].set);
}

std::string lacks_in_cuts(const Tokenizer& tokenizer) {
  std::size_t sets = 0;
  for (const CutStep& step : tokenizer.cuts) sets += step.sets.size();
  if (sets > kMostSets) return "patterns of so many sets of letters";
  const CutTables tables = cut_tables(tokenizer, {}, true);
  for (std::size_t step = 0; step < tables.steps.size(); ++step) {
    for (const CutAlternative& alternative : tables.steps[step].alternatives) {
      for (std::size_t run = 0; run < alternative.runs.size(); ++run) {
        const std::string what = lacks_in_run(tables, static_cast<int>(step), alternative, run);
        if (!what.empty()) {
          return "the pattern '" + tables.steps[step].pattern + "', which has " + what + ",";
        }
      }
    }
  }
  return {};
}

}  // namespace sb3lm
