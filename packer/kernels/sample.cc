// Raw logits to the next token (docs/formats.md, "Numerics"): repetition penalty, temperature,
// top-k, softmax, top-p, one draw. Descending order comes from a heap of ids, so that only as many
// tokens are sorted as the cut needs.
#include "kernels/kernels.h"

namespace sb3lm {

using namespace blocks;

namespace {

// A max-heap of ids by score, the lower id first among equal scores.
struct Heap {
  Proc<> build;  // of all ids
  Proc<> pop;    // the best id into `best`
  Var<Num> best;
  List<Num> items;
};

Heap emit_heap(Sprite& engine, const List<Num>& score, int vocabulary) {
  const auto heap = engine.list<Num>("_heap", {}, static_cast<std::size_t>(vocabulary));
  const auto size = engine.var<Num>("_heap size"), at = engine.var<Num>("_heap at"),
             child = engine.var<Num>("_heap child"), id = engine.var<Num>("_heap id"),
             other = engine.var<Num>("_heap other"), from = engine.var<Num>("_heap from"),
             best = engine.var<Num>("_heap best");
  const auto comes_first = [&](const Var<Num>& a, const Var<Num>& b) {
    return score[a + 1] > score[b + 1] || (score[a + 1] == score[b + 1] && a < b);
  };
  // Moves the id at `from` down until no child comes before it.
  const auto sift = engine.define<>("sift", {}, [&](Script& s) {
    s.set(at, from + 0);
    s.set(id, heap[at + 0] + 0);
    s.set(child, at * 2);
    s.repeat_until(child > size, [&](Script& s) {
      s.set(best, heap[child + 0] + 0);
      s.when(child < size, [&](Script& s) {
        s.set(other, heap[child + 1] + 0);
        s.when(comes_first(other, best), [&](Script& s) {
          s.set(best, other + 0);
          s.change(child, 1);
        });
      });
      s.when_else(
          comes_first(best, id),
          [&](Script& s) {
            s.replace(heap, at + 0, best + 0);
            s.set(at, child + 0);
            s.set(child, at * 2);
          },
          [&](Script& s) { s.set(child, size + 1); });
    });
    s.replace(heap, at + 0, id + 0);
  });
  const auto build = engine.define<>("build heap", {}, [&](Script& s) {
    s.set(size, vocabulary);
    s.set(at, 1);
    s.repeat(vocabulary, [&](Script& s) {
      s.replace(heap, at + 0, at - 1);
      s.change(at, 1);
    });
    s.set(from, vocabulary / 2);
    s.repeat(vocabulary / 2, [&](Script& s) {
      s.call(sift);
      s.change(from, -1);
    });
  });
  const auto result = engine.var<Num>("_heap top");
  const auto pop = engine.define<>("pop heap", {}, [&](Script& s) {
    s.set(result, heap[1] + 0);
    s.replace(heap, 1, heap[size + 0] + 0);
    s.change(size, -1);
    s.set(from, 1);
    s.call(sift);
  });
  return {build, pop, result, heap};
}

// Emits the procedures of one draw over the lists and variables that they share.
class SampleEmitter {
 public:
  SampleEmitter(Sprite& engine, const Workspace& w, const ExpBlocks& exp, const SampleInputs& in)
      : engine_(engine), w_(w), exp_(exp), in_(in), n_(in.vocabulary) {}

  SampleBlocks emit() {
    const auto restart = emit_restart();
    const auto see = engine_.define<Num>(
        "see", {"id"}, [&](Script& s, Arg<Num> id) { s.replace(seen_, id + 1, 1); });
    const auto pick = emit_pick();
    return {restart, see, pick, token_, score_, heap_.items, kept_};
  }

 private:
  List<Num> scores(const char* name) {
    return engine_.list<Num>(name, {}, static_cast<std::size_t>(n_));
  }
  Var<Num> local(const char* what) { return engine_.var<Num>(std::string("_sample ") + what); }

  // `at` goes through all tokens.
  template <class Body>
  void each(Script& s, Body body) const {
    s.set(at_, 1);
    s.repeat(n_, [&](Script& s) {
      body(s);
      s.change(at_, 1);
    });
  }

  Proc<> emit_restart() {
    return engine_.define<>("restart sampling", {}, [&](Script& s) {
      s.set(random_, mod(abs(floor(in_.seed + 0)), 2147483646) + 1);
      each(s, [&](Script& s) { s.replace(seen_, at_ + 0, 0); });
    });
  }

  Proc<> emit_pick() {
    const auto penalise = emit_penalise();
    const auto drop_unmarked = emit_drop_unmarked();
    const auto find_top_k = emit_find_top_k();
    const auto softmax = emit_softmax(drop_unmarked);
    const auto keep_top_p = emit_keep_top_p(drop_unmarked);
    const auto walk = emit_draw();
    return engine_.define<>("pick", {}, [&](Script& s) {
      s.call(penalise);
      s.when(in_.temperature > 0, [&](Script& s) {
        s.when(in_.top_k > 0, [&](Script& s) { s.call(find_top_k); });
        s.call(softmax);
        s.when(in_.top_p < 1, [&](Script& s) { s.call(keep_top_p); });
        s.call(walk);
      });
    });
  }

  // score = penalised logit; `token` and `max` become its argmax and maximum.
  Proc<> emit_penalise() {
    return engine_.define<>("penalise", {}, [&](Script& s) {
      s.set(max_, -1e300);
      s.set(token_, 0);
      each(s, [&](Script& s) {
        s.set(value_, w_.act[at_ + (in_.logits_at - 1)] + 0);
        s.when(seen_[at_ + 0] == 1, [&](Script& s) {
          s.when_else(
              value_ > 0, [&](Script& s) { s.set(value_, value_ / in_.repetition_penalty); },
              [&](Script& s) { s.set(value_, value_ * in_.repetition_penalty); });
        });
        s.replace(score_, at_ + 0, value_ + 0);
        s.when(value_ > max_, [&](Script& s) {
          s.set(max_, value_ + 0);
          s.set(token_, at_ - 1);
        });
      });
    });
  }

  // The heap's best is to be kept: a minus sign on its score says so.
  void mark(Script& s) const {
    s.set(part_, heap_.best + 1);
    s.replace(score_, part_ + 0, 0 - score_[part_ + 0]);
  }

  Proc<> emit_drop_unmarked() {
    return engine_.define<>("drop unmarked", {}, [&](Script& s) {
      each(s, [&](Script& s) {
        s.when_else(
            score_[at_ + 0] < 0,
            [&](Script& s) { s.replace(score_, at_ + 0, 0 - score_[at_ + 0]); },
            [&](Script& s) { s.replace(score_, at_ + 0, 0); });
      });
    });
  }

  // kept = the top k ids, best first.
  Proc<> emit_find_top_k() {
    return engine_.define<>("find top k", {}, [&](Script& s) {
      s.clear(kept_);
      s.call(heap_.build);
      s.repeat_until(kept_.length() == in_.top_k || kept_.length() == n_, [&](Script& s) {
        s.call(heap_.pop);
        s.append(kept_, heap_.best + 0);
      });
    });
  }

  // score becomes the probability among the kept ids (all, if top k is off), 0 for the rest.
  Proc<> emit_softmax(const Proc<>& drop_unmarked) {
    return engine_.define<>("softmax of scores", {}, [&](Script& s) {
      s.set(max_, max_ / in_.temperature);
      each(s, [&](Script& s) {
        s.call(exp_.exp, score_[at_ + 0] / in_.temperature - max_);
        s.replace(score_, at_ + 0, w_.exp + 0);
      });
      s.when(in_.top_k > 0, [&](Script& s) {
        s.set(at_, 1);
        s.repeat(kept_.length(), [&](Script& s) {
          s.set(heap_.best, kept_[at_ + 0] + 0);
          mark(s);
          s.change(at_, 1);
        });
        s.call(drop_unmarked);
      });
      s.set(sum_, 0);
      each(s, [&](Script& s) { s.change(sum_, score_[at_ + 0] + 0); });
      each(s, [&](Script& s) { s.replace(score_, at_ + 0, score_[at_ + 0] / sum_); });
      s.set(sum_, 1);
    });
  }

  // Keeps the shortest descending prefix whose sum reaches top p; `sum` is that sum.
  Proc<> emit_keep_top_p(const Proc<>& drop_unmarked) {
    return engine_.define<>("keep top p", {}, [&](Script& s) {
      s.call(heap_.build);
      s.set(left_, n_);
      s.when(in_.top_k > 0, [&](Script& s) { s.set(left_, kept_.length()); });
      s.set(sum_, 0);
      s.set(at_, 0);
      s.repeat_until(at_ == left_ || (at_ > 0 && !(sum_ < in_.top_p)), [&](Script& s) {
        s.call(heap_.pop);
        s.change(sum_, score_[heap_.best + 1] + 0);
        mark(s);
        s.change(at_, 1);
      });
      s.call(drop_unmarked);
    });
  }

  // Walks through the probabilities until they add up to a random share of `sum`.
  Proc<> emit_draw() {
    return engine_.define<>("draw", {}, [&](Script& s) {
      s.set(random_, mod(random_ * 16807, 2147483647));
      s.set(draw_, random_ / 2147483647);
      s.set(part_, 0);
      s.set(at_, 0);
      s.repeat_until(draw_ < part_ || at_ == n_, [&](Script& s) {
        s.change(at_, 1);
        s.when(score_[at_ + 0] > 0, [&](Script& s) {
          s.set(token_, at_ - 1);
          s.change(part_, score_[at_ + 0] / sum_);
        });
      });
    });
  }

  Sprite& engine_;
  const Workspace& w_;
  const ExpBlocks& exp_;
  const SampleInputs& in_;
  const int n_;  // tokens
  const List<Num> score_ = scores("_score"), seen_ = scores("_seen"),
                  kept_ = engine_.list<Num>("_kept");
  const Var<Num> token_ = engine_.var<Num>("_token");
  const Var<Num> random_ = local("random"), at_ = local("at"), max_ = local("max"),
                 value_ = local("value"), sum_ = local("sum"), part_ = local("part"),
                 draw_ = local("draw"), left_ = local("left");
  const Heap heap_ = emit_heap(engine_, score_, n_);
};

}  // namespace

SampleBlocks emit_sample(Sprite& engine, const Workspace& w, const ExpBlocks& exp,
                         const SampleInputs& in) {
  return SampleEmitter(engine, w, exp, in).emit();
}

}  // namespace sb3lm
