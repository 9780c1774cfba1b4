// Raw logits to the next token (ARCHITECTURE.md, "Numerics"): repetition penalty, temperature,
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

}  // namespace

SampleBlocks emit_sample(Sprite& engine, const Workspace& w, const ExpBlocks& exp,
                         const SampleInputs& in) {
  const int n = in.vocabulary;
  const auto items = static_cast<std::size_t>(n);
  const auto score = engine.list<Num>("_score", {}, items),
             seen_list = engine.list<Num>("_seen", {}, items), kept = engine.list<Num>("_kept");
  const auto local = [&](const char* what) {
    return engine.var<Num>(std::string("_sample ") + what);
  };
  const auto token = engine.var<Num>("_token");
  const auto random = local("random"), at = local("at"), top = local("max"), value = local("value"),
             total = local("sum"), part = local("part"), draw = local("draw"), left = local("left");
  const Heap heap = emit_heap(engine, score, n);

  const auto each = [&](Script& s, auto body) {
    s.set(at, 1);
    s.repeat(n, [&](Script& s) {
      body(s);
      s.change(at, 1);
    });
  };

  const auto restart = engine.define<>("restart sampling", {}, [&](Script& s) {
    s.set(random, mod(abs(floor(in.seed + 0)), 2147483646) + 1);
    each(s, [&](Script& s) { s.replace(seen_list, at + 0, 0); });
  });
  const auto see = engine.define<Num>(
      "see", {"id"}, [&](Script& s, Arg<Num> id) { s.replace(seen_list, id + 1, 1); });

  // score = penalised logit; `token` and `top` become its argmax and maximum.
  const auto penalise = engine.define<>("penalise", {}, [&](Script& s) {
    s.set(top, -1e300);
    s.set(token, 0);
    each(s, [&](Script& s) {
      s.set(value, w.act[at + (in.logits_at - 1)] + 0);
      s.when(seen_list[at + 0] == 1, [&](Script& s) {
        s.when_else(
            value > 0, [&](Script& s) { s.set(value, value / in.repetition_penalty); },
            [&](Script& s) { s.set(value, value * in.repetition_penalty); });
      });
      s.replace(score, at + 0, value + 0);
      s.when(value > top, [&](Script& s) {
        s.set(top, value + 0);
        s.set(token, at - 1);
      });
    });
  });

  // Kept ids are marked by a minus sign on their score; this drops all others.
  const auto mark = [&](Script& s) {
    s.set(part, heap.best + 1);
    s.replace(score, part + 0, 0 - score[part + 0]);
  };
  const auto drop_unmarked = engine.define<>("drop unmarked", {}, [&](Script& s) {
    each(s, [&](Script& s) {
      s.when_else(
          score[at + 0] < 0, [&](Script& s) { s.replace(score, at + 0, 0 - score[at + 0]); },
          [&](Script& s) { s.replace(score, at + 0, 0); });
    });
  });

  // kept = the top k ids, best first.
  const auto find_top_k = engine.define<>("find top k", {}, [&](Script& s) {
    s.clear(kept);
    s.call(heap.build);
    s.repeat_until(kept.length() == in.top_k || kept.length() == n, [&](Script& s) {
      s.call(heap.pop);
      s.append(kept, heap.best + 0);
    });
  });

  // score becomes the probability among the kept ids (all, if top k is off), 0 for the rest.
  const auto softmax = engine.define<>("softmax of scores", {}, [&](Script& s) {
    s.set(top, top / in.temperature);
    each(s, [&](Script& s) {
      s.call(exp.exp, score[at + 0] / in.temperature - top);
      s.replace(score, at + 0, w.exp + 0);
    });
    s.when(in.top_k > 0, [&](Script& s) {
      s.set(at, 1);
      s.repeat(kept.length(), [&](Script& s) {
        s.set(heap.best, kept[at + 0] + 0);
        mark(s);
        s.change(at, 1);
      });
      s.call(drop_unmarked);
    });
    s.set(total, 0);
    each(s, [&](Script& s) { s.change(total, score[at + 0] + 0); });
    each(s, [&](Script& s) { s.replace(score, at + 0, score[at + 0] / total); });
    s.set(total, 1);
  });

  // Keeps the shortest descending prefix whose sum reaches top p; total = that sum.
  const auto keep_top_p = engine.define<>("keep top p", {}, [&](Script& s) {
    s.call(heap.build);
    s.set(left, n);
    s.when(in.top_k > 0, [&](Script& s) { s.set(left, kept.length()); });
    s.set(total, 0);
    s.set(at, 0);
    s.repeat_until(at == left || (at > 0 && !(total < in.top_p)), [&](Script& s) {
      s.call(heap.pop);
      s.change(total, score[heap.best + 1] + 0);
      mark(s);
      s.change(at, 1);
    });
    s.call(drop_unmarked);
  });

  const auto walk = engine.define<>("draw", {}, [&](Script& s) {
    s.set(random, mod(random * 16807, 2147483647));
    s.set(draw, random / 2147483647);
    s.set(part, 0);
    s.set(at, 0);
    s.repeat_until(draw < part || at == n, [&](Script& s) {
      s.change(at, 1);
      s.when(score[at + 0] > 0, [&](Script& s) {
        s.set(token, at - 1);
        s.change(part, score[at + 0] / total);
      });
    });
  });

  const auto pick = engine.define<>("pick", {}, [&](Script& s) {
    s.call(penalise);
    s.when(in.temperature > 0, [&](Script& s) {
      s.when(in.top_k > 0, [&](Script& s) { s.call(find_top_k); });
      s.call(softmax);
      s.when(in.top_p < 1, [&](Script& s) { s.call(keep_top_p); });
      s.call(walk);
    });
  });
  return {restart, see, pick, token, score, heap.items, kept};
}

}  // namespace sb3lm
