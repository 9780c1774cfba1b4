#include "kernels/step_cutter.h"

#include <string>
#include <utility>

namespace sb3lm {

using namespace blocks;

struct StepCutter::Step {
  int number = 0;  // from 0
  const CutStep& step;
  Var<Num> at, end, go, least, others;
  const Arg<Num>& to;
};

StepCutter::StepCutter(Sprite& engine, const CutTables& tables, const List<Num>& classes,
                       bool at_end)
    : engine_(engine), tables_(tables), classes_(classes), at_end_(at_end) {
  if (!tables.steps.empty()) engine.list<Num>(members_.name, tables.members);
}

StepCutter::Piece StepCutter::emit(const Piece& piece) {
  Piece next = piece;
  for (auto step = static_cast<int>(tables_.steps.size()); step > 0; --step) {
    next = emit_step(step - 1, next);
  }
  return next;
}

StepCutter::Piece StepCutter::emit_step(int number, const Piece& piece) {
  const auto var = [&](const char* name) {
    return engine_.var<Num>("_cut " + std::string(name) + " " + std::to_string(number + 1));
  };
  const CutStep& step = tables_.steps[static_cast<std::size_t>(number)];
  const Var<Num> at = var("at"), end = var("end"), go = var("go"), least = var("least"),
                 others = var("others");
  const auto end_others = [&](Script& s) {
    s.when(others > 0, [&](Script& s) {
      if (!step.drops_others) s.call(piece, others, at - 1);
      s.set(others, 0);
    });
  };
  return engine_.define<Num, Num>("_find pieces " + std::to_string(number + 1), {"from", "to"},
                                  [&](Script& s, Arg<Num> from, Arg<Num> to) {
                                    s.set(at, from + 0);
                                    s.set(others, 0);
                                    s.repeat_until(at > to, [&](Script& s) {
                                      s.set(end, 0);
                                      match(s, {number, step, at, end, go, least, others, to});
                                      s.when_else(
                                          end == 0,
                                          [&](Script& s) {
                                            s.when(others == 0,
                                                   [&](Script& s) { s.set(others, at + 0); });
                                            s.change(at, 1);
                                          },
                                          [&](Script& s) {
                                            end_others(s);
                                            if (!step.drops_matches) s.call(piece, at, end);
                                            s.set(at, end + 1);
                                          });
                                    });
                                    end_others(s);
                                  });
}

Expr<Bool> StepCutter::is_in(const Step& in, int set) const {
  auto found = members_[classes_[in.go + 0] + tables_.row_of(in.number, set)] == 1;
  if (at_end_ && in.number == 0) return found;  // beyond the last letter there is no class
  return in.go < in.to + 1 && std::move(found);
}

// Sets the end, 0 where nothing matches. Alternatives that begin with the same letter ask for it
// once.
void StepCutter::match(Script& s, const Step& in) {
  const auto& all = in.step.alternatives;
  const auto is_single = [](const LetterRun& run) { return run.least == 1 && run.most == 1; };
  for (std::size_t first = 0; first < all.size();) {
    std::size_t last = first + 1;
    const LetterRun& front = all[first].runs[0];
    while (is_single(front) && last < all.size() && all[last].runs[0] == front) ++last;
    const auto try_all = [&](Script& s) {
      const bool shares = last > first + 1;
      for (std::size_t k = first; k < last; ++k) {
        const auto attempt = [&](Script& s) {
          s.set(in.go, in.at + (shares ? 1 : 0));
          match_runs(s, in, all[k], shares ? 1 : 0);
        };
        if (k == first) {
          attempt(s);
        } else {
          s.when(in.end == 0, attempt);
        }
      }
    };
    const auto try_group = [&](Script& s) {
      if (last == first + 1) return try_all(s);
      s.set(in.go, in.at + 0);
      s.when(is_in(in, front.set), try_all);
    };
    if (first == 0) {
      try_group(s);
    } else {
      s.when(in.end == 0, try_group);
    }
    first = last;
  }
}

void StepCutter::match_runs(Script& s, const Step& in, const CutAlternative& alternative,
                            std::size_t run) {
  if (run == alternative.runs.size()) return finish(s, in, alternative);
  const LetterRun& of = alternative.runs[run];
  require(s, in, of.set, of.least, [&](Script& s) { match_run(s, in, alternative, run); });
}

// What a run takes beyond its least.
void StepCutter::match_run(Script& s, const Step& in, const CutAlternative& alternative,
                           std::size_t run) {
  const LetterRun& of = alternative.runs[run];
  if (of.most != LetterRun::kNoLimit) {
    allow(s, in, of.set, of.most - of.least);
    return match_runs(s, in, alternative, run + 1);
  }
  const bool takes = takes_back(tables_, in.number, alternative, run);
  const bool is_last = run + 1 == alternative.runs.size();
  const bool shortens = is_last && alternative.not_before >= 0;
  if (takes || shortens) s.set(in.least, in.go + 0);
  s.repeat_until(!is_in(in, of.set), [&](Script& s) { s.change(in.go, 1); });
  if (takes) {
    const int next = alternative.runs[run + 1].set;
    s.repeat_until(!(in.go > in.least) || is_in(in, next), [&](Script& s) { s.change(in.go, -1); });
  }
  if (shortens) {
    s.repeat_until(!(in.go > in.least) || !is_in(in, alternative.not_before),
                   [&](Script& s) { s.change(in.go, -1); });
  }
  match_runs(s, in, alternative, run + 1);
}

void StepCutter::require(Script& s, const Step& in, int set, int count,
                         const std::function<void(Script&)>& then) {
  if (count == 0) return then(s);
  s.when(is_in(in, set), [&](Script& s) {
    s.change(in.go, 1);
    require(s, in, set, count - 1, then);
  });
}

void StepCutter::allow(Script& s, const Step& in, int set, int count) {
  if (count == 0) return;
  s.when(is_in(in, set), [&](Script& s) {
    s.change(in.go, 1);
    allow(s, in, set, count - 1);
  });
}

void StepCutter::finish(Script& s, const Step& in, const CutAlternative& alternative) {
  const auto set_end = [&](Script& s) { s.set(in.end, in.go - 1); };
  if (alternative.not_before < 0) return set_end(s);
  s.when(!is_in(in, alternative.not_before), set_end);
}

}  // namespace sb3lm
