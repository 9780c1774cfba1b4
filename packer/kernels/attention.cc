// Attention with a KV cache, for a few query heads that share a KV head at a time. Keys lie by
// position and values by dimension, so that both inner loops read neighbouring items.
//
// Compiled, small leaf procedures without loops multiply list items; larger ones are no faster and
// take the optimiser long. Interpreted, what is read again and again stands in variables, which
// cost less than items there (docs/costs.md). Both forms add in the same order.
#include <cmath>
#include <optional>

#include "kernels/kernels.h"
#include "kernels/tuned.h"

namespace sb3lm {

using namespace blocks;

namespace {

constexpr int kLeafProducts = 32;      // of one compiled leaf
constexpr int kUnrolledProducts = 32;  // of one interpreted loop turn
constexpr int kQueryPart = 16;  // items of a query that an interpreted loop holds in variables
constexpr int kSumBlock = 16;   // positions whose products are added up before they join the rest
constexpr double kNothing = -1e300;  // a score below all others
constexpr int kSmallUnroll = 4;      // products of a loop turn where blocks are scarce
static_assert(kValueBlock % kSmallUnroll == 0);
static_assert(kValueBlock == 2 * kSumBlock);

class AttentionEmitter {
 public:
  AttentionEmitter(Sprite& engine, const Workspace& w, const ScoreBlocks& on_scores,
                   const AttendShape& shape, const std::string& name)
      : engine_(engine),
        w_(w),
        on_scores_(on_scores),
        shape_(shape),
        spec_(shape.with),
        span_(shape.span),
        name_(name),
        heads_(largest_divisor(spec_.query_heads / spec_.kv_heads, kHeadsAtOnce)),
        key_(local("key")),
        value_(local("value")),
        score_(local("score")),
        q_(local("q")),
        acc_(local("acc")),
        top_(local("max")),
        total_(local("sum")),
        out_(local("out")) {
    if (shape.wraps) last_ = local("last");
  }

  Proc<Num> emit() {
    const auto scores = emit_scores();
    const auto softmax = emit_softmax();
    const auto mix = emit_mix();
    const auto divide = emit_divide();
    const auto head = local("head"), group = local("group");
    const int size = spec_.head_size;
    const int turns = spec_.query_heads / spec_.kv_heads / heads_;
    return engine_.define<Num>("attend " + name_, {"cache at"}, [&](Script& s, Arg<Num> cache_at) {
      if (last_) {
        s.set(*last_, w_.position + 0);
        s.when(*last_ > span_ - 1, [&](Script& s) { s.set(*last_, span_ - 1); });
      }
      s.set(head, 0);
      s.set(group, 0);
      s.repeat(spec_.kv_heads, [&](Script& s) {
        s.repeat(turns, [&](Script& s) {
          s.call(scores, head * size + shape_.q_at, cache_at + group * size);
          for (int h = 0; h < heads_; ++h) {
            s.call(softmax, scores_at(h));
            s.set(totals_[static_cast<std::size_t>(h)], total_ + 0);
          }
          s.call(mix, head * size + shape_.out_at, cache_at + group * (size * span_));
          for (int h = 0; h < heads_; ++h) {
            s.call(divide, (head + h) * size + shape_.out_at, totals_[static_cast<std::size_t>(h)]);
          }
          s.change(head, heads_);
        });
        s.change(group, 1);
      });
    });
  }

 private:
  Var<Num> local(const std::string& what) {
    return engine_.var<Num>("_attend " + name_ + " " + what);
  }
  std::vector<Var<Num>> locals(const std::string& what, int count) {
    std::vector<Var<Num>> made;
    made.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) made.push_back(local(fmt::format("{} {}", what, i)));
    return made;
  }
  // The last place of the cache that holds a position.
  const Var<Num>& last() const { return last_ ? *last_ : w_.position; }
  int kv_width() const { return spec_.kv_heads * spec_.head_size; }
  int score_stride() const { return span_ + kValueBlock; }
  int scores_at(int h) const { return shape_.scores_at + h * score_stride(); }

  // sum + the products of the query's items `from` to `to` and a key's. `factor(d)` is the query's
  // item d.
  template <class Factor>
  Expr<Num> products(Expr<Num> sum, int from, int to, Factor factor) const {
    for (int d = from; d < to; ++d) sum = std::move(sum) + factor(d) * w_.keys[key_ + d];
    return sum;
  }

  // scores of `heads_` heads = q.k for every cached position; softmax scales them.
  Proc<Num, Num> emit_scores() {
    if (w_.small) return emit_scores_small();
    return emit_tuned<Num, Num>(engine_, w_, "scores " + name_, {"query at", "key at"},
                                [&](Vm vm, const std::string& name) {
                                  return vm == Vm::turbowarp ? emit_scores_compiled(name)
                                                             : emit_scores_interpreted(name);
                                });
  }

  // A leaf per part of a head and position; the query is read from the list again and again. The
  // sum grows in its place in the list: a variable takes an object for every fraction.
  Proc<Num, Num> emit_scores_compiled(const std::string& name) {
    const int size = spec_.head_size, part = largest_divisor(size, kLeafProducts);
    const auto leaf = engine_.define<>(name + " part", {}, [&](Script& s) {
      s.set(q_, q_ + 0);
      s.set(key_, key_ + 0);
      s.set(score_, score_ + 0);
      s.replace(w_.act, score_ + 0,
                products(w_.act[score_ + 0], 0, part, [&](int d) { return w_.act[q_ + d]; }));
      s.change(q_, part);
      s.change(key_, part);
    });
    return engine_.define<Num, Num>(name, {"query at", "key at"},
                                    [&](Script& s, Arg<Num> query_at, Arg<Num> key_at) {
                                      for (int h = 0; h < heads_; ++h) {
                                        s.set(q_, query_at + h * size);
                                        s.set(key_, key_at + 0);
                                        s.set(score_, scores_at(h));
                                        s.repeat(last() + 1, [&](Script& s) {
                                          s.replace(w_.act, score_ + 0, 0);
                                          for (int from = 0; from < size; from += part)
                                            s.call(leaf);
                                          s.change(score_, 1);
                                          s.change(q_, -size);
                                          s.change(key_, kv_width() - size);
                                        });
                                      }
                                    });
  }

  // One head after the other, a part of its query in variables.
  Proc<Num, Num> emit_scores_interpreted(const std::string& name) {
    const int part = largest_divisor(spec_.head_size, kQueryPart);
    const auto query = locals("q", part);
    const auto q_at = [&](int d) -> const Var<Num>& { return query[static_cast<std::size_t>(d)]; };
    const auto from = local("from");
    const auto one = engine_.define<Num, Num, Num>(
        name + " head", {"query at", "key at", "scores at"},
        [&](Script& s, Arg<Num> query_at, Arg<Num> key_at, Arg<Num> at) {
          s.set(score_, at + 0);
          s.repeat(last() + 1, [&](Script& s) {
            s.replace(w_.act, score_, 0);
            s.change(score_, 1);
          });
          s.set(q_, query_at + 0);
          s.set(from, key_at + 0);
          s.repeat(spec_.head_size / part, [&](Script& s) {
            for (int d = 0; d < part; ++d) s.set(q_at(d), w_.act[q_ + d]);
            s.set(key_, from + 0);
            s.set(score_, at + 0);
            s.repeat(last() + 1, [&](Script& s) {
              s.replace(w_.act, score_, products(w_.act[score_], 0, part, q_at));
              s.change(score_, 1);
              s.change(key_, kv_width());
            });
            s.change(q_, part);
            s.change(from, part);
          });
        });
    return engine_.define<Num, Num>(
        name, {"query at", "key at"}, [&](Script& s, Arg<Num> query_at, Arg<Num> key_at) {
          for (int h = 0; h < heads_; ++h) {
            s.call(one, query_at + h * spec_.head_size, key_at, scores_at(h));
          }
        });
  }

  // Few blocks: heads, positions and parts of a head in loops.
  Proc<Num, Num> emit_scores_small() {
    const int size = spec_.head_size, unroll = largest_divisor(size, kSmallUnroll);
    const auto to = local("to");
    return engine_.define<Num, Num>("scores " + name_, {"query at", "key at"},
                                    [&](Script& s, Arg<Num> query_at, Arg<Num> key_at) {
                                      s.set(q_, query_at);
                                      s.set(to, scores_at(0));
                                      s.repeat(heads_, [&](Script& s) {
                                        s.set(key_, key_at);
                                        s.set(score_, to);
                                        s.repeat(last() + 1, [&](Script& s) {
                                          s.set(acc_, 0);
                                          s.repeat(size / unroll, [&](Script& s) {
                                            s.change(acc_, unrolled_sum(unroll, [&](int k) {
                                                       return item(w_.act, q_, k) *
                                                              item(w_.keys, key_, k);
                                                     }));
                                            s.change(q_, unroll);
                                            s.change(key_, unroll);
                                          });
                                          s.change(q_, -size);
                                          s.change(key_, kv_width() - size);
                                          s.replace(w_.act, score_, acc_);
                                          s.change(score_, 1);
                                        });
                                        s.change(q_, size);
                                        s.change(to, score_stride());
                                      });
                                    });
  }

  // Weights and values by dimension; weights behind the last position are zeros up to a whole
  // block.
  Proc<Num, Num> emit_mix_small() {
    const auto from = local("from");
    return engine_.define<Num, Num>(
        "mix " + name_, {"out at", "value at"}, [&](Script& s, Arg<Num> out_at, Arg<Num> value_at) {
          s.set(out_, out_at);
          s.set(from, scores_at(0));
          s.repeat(heads_, [&](Script& s) {
            s.set(value_, value_at);
            s.repeat(spec_.head_size, [&](Script& s) {
              s.set(acc_, 0);
              s.set(key_, value_);
              s.set(score_, from);
              s.repeat(floor(last() / kSmallUnroll) + 1, [&](Script& s) {
                s.change(acc_, unrolled_sum(kSmallUnroll, [&](int k) {
                           return item(w_.act, score_, k) * item(w_.values, key_, k);
                         }));
                s.change(score_, kSmallUnroll);
                s.change(key_, kSmallUnroll);
              });
              s.replace(w_.act, out_, acc_);
              s.change(out_, 1);
              s.change(value_, span_);
            });
            s.change(from, score_stride());
          });
        });
  }

  static Expr<Num> item(const List<Num>& list, const Var<Num>& at, int offset) {
    return offset == 0 ? list[at] : list[at + offset];
  }

  // Positions before the window that the cache still holds weigh nothing.
  void hide_before_window(Script& s, Arg<Num>& at) {
    const bool holds_more = !shape_.wraps || span_ > spec_.window;
    if (spec_.window == 0 || !holds_more) return;
    const auto old = local("old");
    s.set(old, w_.position - spec_.window);
    const auto is_gone = [&]() -> Expr<Bool> {
      if (!shape_.wraps) return old < 0;
      return old < 0 || old < w_.position - (span_ - 1);
    };
    s.repeat_until(is_gone(), [&](Script& s) {
      Expr<Num> place = shape_.wraps ? mod(old, span_) : old + 0;
      s.replace(w_.act, at + std::move(place), kNothing);
      s.change(old, -1);
    });
  }

  Expr<Num> scaled(Expr<Num> score) const {
    if (spec_.score_scale > 0) return std::move(score) * spec_.score_scale;
    return std::move(score) / std::sqrt(static_cast<double>(spec_.head_size));
  }

  // scores become exp(scale * (score - max)), zero up to a whole block; their sum in `total`.
  Proc<Num> emit_softmax() {
    const auto each = [&](Script& s, Arg<Num>& at, auto body) {
      s.set(score_, at + 0);
      s.repeat(last() + 1, [&](Script& s) {
        body(s);
        s.change(score_, 1);
      });
    };
    return engine_.define<Num>("softmax " + name_, {"scores at"}, [&](Script& s, Arg<Num> at) {
      if (on_scores_.cap) s.call(*on_scores_.cap, at + 0, last() + 1);
      hide_before_window(s, at);
      s.set(top_, kNothing);
      each(s, at, [&](Script& s) {
        s.when(w_.act[score_] > top_, [&](Script& s) { s.set(top_, w_.act[score_] + 0); });
      });
      s.set(total_, 0);
      each(s, at, [&](Script& s) {
        s.call(on_scores_.exp.exp, scaled(w_.act[score_ + 0] - top_));
        s.replace(w_.act, score_ + 0, w_.exp + 0);
        s.change(total_, w_.exp + 0);
      });
      s.repeat(kValueBlock - mod(last(), kValueBlock) - 1, [&](Script& s) {
        s.replace(w_.act, score_ + 0, 0);
        s.change(score_, 1);
      });
    });
  }

  // out = sum over positions of weight * value for `heads_` heads, a block of positions after the
  // other.
  Proc<Num, Num> emit_mix() {
    totals_ = locals("sum", heads_);
    if (w_.small) return emit_mix_small();
    return emit_tuned<Num, Num>(
        engine_, w_, "mix " + name_, {"out at", "value at"}, [&](Vm vm, const std::string& name) {
          return vm == Vm::turbowarp ? emit_mix_compiled(name) : emit_mix_interpreted(name);
        });
  }

  // The loops around a leaf that handles `dims` dimensions of one block of positions.
  template <class Block>
  void mix_blocks(Script& s, Arg<Num>& out_at, Arg<Num>& value_at, int positions, Block block) {
    s.set(out_, out_at + 0);
    s.repeat(heads_ * spec_.head_size, [&](Script& s) {
      s.replace(w_.act, out_ + 0, 0);
      s.change(out_, 1);
    });
    s.set(value_, value_at + 0);
    s.set(score_, shape_.scores_at);
    s.repeat(floor(last() / positions) + 1, [&](Script& s) {
      block(s);
      s.change(score_, positions);
      s.change(value_, positions);
    });
  }

  Proc<Num, Num> emit_mix_compiled(const std::string& name) {
    const int size = spec_.head_size;
    const int dims = largest_divisor(size, kLeafProducts / kValueBlock);
    const auto leaf = engine_.define<>(name + " dims", {}, [&](Script& s) {
      s.set(out_, out_ + 0);
      s.set(key_, key_ + 0);
      s.set(q_, q_ + 0);
      for (int d = 0; d < dims; ++d) {
        const auto block = [&](int from) {
          return unrolled_sum(kSumBlock, [&](int k) {
            return w_.act[q_ + (from + k)] * w_.values[key_ + (d * span_ + from + k)];
          });
        };
        s.replace(w_.act, out_ + d, w_.act[out_ + d] + block(0) + block(kSumBlock));
      }
      s.change(out_, dims);
      s.change(key_, dims * span_);
    });
    return engine_.define<Num, Num>(name, {"out at", "value at"},
                                    [&](Script& s, Arg<Num> out_at, Arg<Num> value_at) {
                                      mix_blocks(s, out_at, value_at, kValueBlock, [&](Script& s) {
                                        for (int h = 0; h < heads_; ++h) {
                                          s.set(out_, out_at + h * size);
                                          s.set(key_, value_ + 0);
                                          s.set(q_, score_ + h * score_stride());
                                          s.repeat(size / dims, [&](Script& s) { s.call(leaf); });
                                        }
                                      });
                                    });
  }

  // A head's weights of a block stand in variables while the values of every dimension go by.
  Proc<Num, Num> emit_mix_interpreted(const std::string& name) {
    const int size = spec_.head_size;
    const auto weights = locals("w", kSumBlock);
    const auto weight = [&](int k) -> const Var<Num>& {
      return weights[static_cast<std::size_t>(k)];
    };
    const int dims = largest_divisor(size, kUnrolledProducts / kSumBlock);
    const auto block = [&](Script& s, Arg<Num>& out_at) {
      s.set(out_, out_at + 0);
      s.set(q_, score_ + 0);
      s.repeat(heads_, [&](Script& s) {
        for (int k = 0; k < kSumBlock; ++k) s.set(weight(k), w_.act[q_ + k]);
        s.set(key_, value_ + 0);
        s.repeat(size / dims, [&](Script& s) {
          for (int d = 0; d < dims; ++d) {
            s.replace(w_.act, out_ + d, w_.act[out_ + d] + unrolled_sum(kSumBlock, [&](int k) {
                                          return weight(k) * w_.values[key_ + (d * span_ + k)];
                                        }));
          }
          s.change(out_, dims);
          s.change(key_, dims * span_);
        });
        s.change(q_, score_stride());
      });
    };
    return engine_.define<Num, Num>(
        name, {"out at", "value at"}, [&](Script& s, Arg<Num> out_at, Arg<Num> value_at) {
          mix_blocks(s, out_at, value_at, kSumBlock, [&](Script& s) { block(s, out_at); });
        });
  }

  // out = out / total of one head.
  Proc<Num, Num> emit_divide() {
    return engine_.define<Num, Num>("divide " + name_, {"out at", "by"},
                                    [&](Script& s, Arg<Num> out_at, Arg<Num> by) {
                                      s.set(out_, out_at + 0);
                                      s.set(acc_, by + 0);
                                      s.repeat(spec_.head_size, [&](Script& s) {
                                        s.replace(w_.act, out_, w_.act[out_] / acc_);
                                        s.change(out_, 1);
                                      });
                                    });
  }

  Sprite& engine_;
  const Workspace& w_;
  const ScoreBlocks& on_scores_;
  const AttendShape& shape_;
  const AttendWith& spec_;
  int span_;
  std::string name_;
  int heads_;  // that run together
  Var<Num> key_, value_, score_, q_, acc_, top_, total_, out_;
  std::optional<Var<Num>> last_;
  std::vector<Var<Num>> totals_;  // softmax sums of the heads that run together
};

}  // namespace

double score_factor(const AttendWith& with) {
  return with.score_scale > 0 ? with.score_scale
                              : 1 / std::sqrt(static_cast<double>(with.head_size));
}

Proc<Num> emit_attention(Sprite& engine, const Workspace& w, const ScoreBlocks& on_scores,
                         const AttendShape& shape, const std::string& name) {
  return AttentionEmitter(engine, w, on_scores, shape, name).emit();
}

}  // namespace sb3lm
