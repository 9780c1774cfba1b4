#include "model/cut_pattern.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/error.h"

namespace sb3lm {
namespace {

/// One step on one text.
class Cutter {
 public:
  Cutter(const CutStep& step, std::string_view text)
      : step_(step), text_(text), chars_(text_chars(text)) {}

  void cut(std::vector<std::string_view>& pieces) {
    std::size_t others = 0;  // where letters begin that nothing matches
    for (std::size_t at = 0; at < chars_.size();) {
      const std::size_t end = match(at);
      if (end == at) {
        ++at;
        continue;
      }
      if (!step_.drops_others) add(others, at, pieces);
      if (!step_.drops_matches) add(at, end, pieces);
      others = at = end;
    }
    if (!step_.drops_others) add(others, chars_.size(), pieces);
  }

 private:
  void add(std::size_t from, std::size_t to, std::vector<std::string_view>& pieces) const {
    if (from < to) pieces.push_back(text_.substr(offset(from), offset(to) - offset(from)));
  }

  std::size_t offset(std::size_t at) const {
    return at < chars_.size() ? chars_[at].offset : text_.size();
  }

  bool has(int set, std::size_t at) const {
    return at < chars_.size() && step_.sets[static_cast<std::size_t>(set)].has(chars_[at].value);
  }

  /// Where the match that begins at `at` ends; `at` itself if there is none.
  std::size_t match(std::size_t at) {
    steps_left_ = kStepsForLetter * (chars_.size() - at + kStepsForLetter);
    for (const CutAlternative& alternative : step_.alternatives) {
      const std::size_t end = match_runs(alternative, alternative.runs, at);
      if (end != kNone && end > at) return end;
    }
    return at;
  }

  /// The longest run first, then shorter ones. An alternative has few runs, which bounds the depth.
  std::size_t match_runs(const CutAlternative& in, std::span<const LetterRun> runs,
                         std::size_t at) {
    if (steps_left_-- == 0) {
      fail(Fault::unsupported, "pattern '{}' takes too long on a text", step_.pattern);
    }
    if (runs.empty()) return in.not_before >= 0 && has(in.not_before, at) ? kNone : at;
    const LetterRun& run = runs.front();
    const auto least = static_cast<std::size_t>(run.least);
    std::size_t count = 0;
    while (count < static_cast<std::size_t>(run.most) && has(run.set, at + count)) ++count;
    for (; count + 1 > least; --count) {
      const std::size_t end = match_runs(in, runs.subspan(1), at + count);
      if (end != kNone) return end;
      if (count == 0) break;
    }
    return kNone;
  }

  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  // Patterns that cut texts need a few; others could need a power of the text's length.
  static constexpr std::size_t kStepsForLetter = 64;
  const CutStep& step_;
  std::string_view text_;
  std::vector<TextChar> chars_;
  std::size_t steps_left_ = 0;
};

}  // namespace

bool LetterSet::has(char32_t letter) const {
  const bool in_class = (classes >> static_cast<int>(letter_class(letter)) & 1) != 0;
  const bool found = in_class || std::any_of(ranges.begin(), ranges.end(), [letter](auto& range) {
                       return letter >= range.first && letter <= range.second;
                     });
  return found != negated;
}

std::vector<std::string_view> cut_by_steps(const std::vector<CutStep>& steps,
                                           std::string_view text) {
  std::vector<std::string_view> pieces = {text}, next;
  for (const CutStep& step : steps) {
    next.clear();
    for (const std::string_view piece : pieces) Cutter(step, piece).cut(next);
    std::swap(pieces, next);
  }
  return pieces;
}

}  // namespace sb3lm
