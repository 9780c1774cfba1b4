// Grouped-query attention over one pass's KV cache. Keys are stored by position, values by
// dimension, so that both inner products read consecutive items. Up to four query heads that share
// a KV head run together: 16 positions' weights of each stand in variables while every dimension's
// values go by (2.5 ns per product in TurboWarp against 3.9 with weights in a list,
// ARCHITECTURE.md, "Costs of blocks"). The inner sums are procedures without loops, see rows.cc.
#include <cmath>

#include "kernels/kernels.h"
#include "kernels/tuned.h"

namespace sb3lm {

using namespace blocks;

namespace {

int largest_divisor(int n, int most) {
  int divisor = std::min(n, most);
  while (n % divisor != 0) --divisor;
  return divisor;
}

class AttentionEmitter {
 public:
  AttentionEmitter(Sprite& engine, const Workspace& w, const ExpBlocks& exp,
                   const AttentionSpec& spec, int span, const AttentionRegions& regions,
                   const std::string& name)
      : engine_(engine),
        w_(w),
        exp_(exp),
        spec_(spec),
        span_(span),
        regions_(regions),
        name_(name),
        heads_(largest_divisor(spec.query_heads / spec.kv_heads, kHeadsAtOnce)),
        key_(local("key")),
        value_(local("value")),
        score_(local("score")),
        q_(local("q")),
        acc_(local("acc")),
        top_(local("max")),
        total_(local("sum")),
        out_(local("out")),
        blocks_used_(local("blocks")) {}

  Proc<Num> emit() {
    const auto store = emit_store();
    const auto scores = emit_scores();
    const auto softmax = emit_softmax();
    const auto mix = emit_mix();
    const auto head = local("head"), group = local("group");
    const int size = spec_.head_size;
    const int turns = spec_.query_heads / spec_.kv_heads / heads_;
    return engine_.define<Num>("attend " + name_, {"cache at"}, [&](Script& s, Arg<Num> cache_at) {
      s.call(store, cache_at);
      s.set(blocks_used_, floor(w_.position / kValueBlock) + 1);
      s.set(head, 0);
      s.set(group, 0);
      s.repeat(spec_.kv_heads, [&](Script& s) {
        s.repeat(turns, [&](Script& s) {
          for (int h = 0; h < heads_; ++h) {
            s.call(scores, (head + h) * size + regions_.q, cache_at + group * size, scores_at(h));
            s.call(softmax, scores_at(h));
            s.set(totals_[static_cast<std::size_t>(h)], total_ + 0);
          }
          s.call(mix, head * size + regions_.out, cache_at + group * (size * span_));
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
  int kv_width() const { return spec_.kv_heads * spec_.head_size; }
  int scores_at(int h) const { return regions_.scores + h * (span_ + kValueBlock); }

  // k and v of this position into the cache.
  Proc<Num> emit_store() {
    const auto i = local("store");
    return engine_.define<Num>("cache " + name_, {"cache at"}, [&](Script& s, Arg<Num> cache_at) {
      s.set(key_, cache_at + w_.position * kv_width());
      s.set(value_, cache_at + w_.position);
      s.set(i, 0);
      s.repeat(kv_width(), [&](Script& s) {
        s.replace(w_.keys, key_ + i, w_.act[i + regions_.k] + 0);
        s.replace(w_.values, value_ + 0, w_.act[i + regions_.v] + 0);
        s.change(i, 1);
        s.change(value_, span_);
      });
    });
  }

  // acc = q.k of one position. `factor(d)` is the query's item d.
  template <class Factor>
  void add_products(Script& s, Factor factor) {
    for (int from = 0; from < spec_.head_size; from += kMaxTerms) {
      const int terms = std::min(kMaxTerms, spec_.head_size - from);
      auto products =
          unrolled_sum(terms, [&](int k) { return factor(from + k) * w_.keys[key_ + (from + k)]; });
      s.set(acc_, from == 0 ? std::move(products) : acc_ + std::move(products));
    }
  }

  void finish_score(Script& s) {
    s.set(acc_, acc_ / std::sqrt(static_cast<double>(spec_.head_size)));
    s.replace(w_.act, score_ + 0, acc_ + 0);
    s.when(acc_ > top_, [&](Script& s) { s.set(top_, acc_ + 0); });
    s.change(score_, 1);
    s.change(key_, kv_width());
  }

  // scores = q.k / sqrt(head size) for every cached position, their maximum in `top`. Reading the
  // query from the list is faster when compiled, from variables when interpreted.
  Proc<Num, Num, Num> emit_scores() {
    constexpr std::array<const char*, 3> kArguments = {"query at", "key at", "scores at"};
    const auto each_position = [&](Script& s, Arg<Num>& query_at, Arg<Num>& key_at, Arg<Num>& at,
                                   auto before, auto body) {
      s.set(q_, query_at + 0);
      s.set(key_, key_at + 0);
      s.set(score_, at + 0);
      s.set(top_, -1e300);
      before(s);
      s.repeat(w_.position + 1, body);
    };
    const auto emit_compiled = [&](const std::string& name) {
      const auto one = engine_.define<>(name + " position", {}, [&](Script& s) {
        s.set(q_, q_ + 0);
        s.set(key_, key_ + 0);
        s.set(score_, score_ + 0);
        add_products(s, [&](int d) { return w_.act[q_ + d]; });
        finish_score(s);
      });
      return engine_.define<Num, Num, Num>(
          name, kArguments, [&](Script& s, Arg<Num> query_at, Arg<Num> key_at, Arg<Num> at) {
            each_position(
                s, query_at, key_at, at, [](Script&) {}, [&](Script& s) { s.call(one); });
          });
    };
    const auto emit_interpreted = [&](const std::string& name) {
      std::vector<Var<Num>> query;
      for (int d = 0; d < spec_.head_size; ++d) query.push_back(local(fmt::format("q {}", d)));
      const auto q_at = [&](int d) -> const Var<Num>& {
        return query[static_cast<std::size_t>(d)];
      };
      return engine_.define<Num, Num, Num>(
          name, kArguments, [&](Script& s, Arg<Num> query_at, Arg<Num> key_at, Arg<Num> at) {
            each_position(
                s, query_at, key_at, at,
                [&](Script& s) {
                  for (int d = 0; d < spec_.head_size; ++d) s.set(q_at(d), w_.act[q_ + d] + 0);
                },
                [&](Script& s) {
                  add_products(s, [&](int d) { return Expr<Num>(q_at(d)); });
                  finish_score(s);
                });
          });
    };
    return emit_tuned<Num, Num, Num>(
        engine_, w_, "scores " + name_, kArguments, [&](Vm vm, const std::string& name) {
          return vm == Vm::turbowarp ? emit_compiled(name) : emit_interpreted(name);
        });
  }

  // scores become exp(score - max), zero up to a whole block; their sum in `total`.
  Proc<Num> emit_softmax() {
    return engine_.define<Num>("softmax " + name_, {"scores at"}, [&](Script& s, Arg<Num> at) {
      s.set(score_, at + 0);
      s.set(total_, 0);
      s.repeat(w_.position + 1, [&](Script& s) {
        s.call(exp_.exp, w_.act[score_ + 0] - top_);
        s.replace(w_.act, score_ + 0, w_.exp + 0);
        s.change(total_, w_.exp + 0);
        s.change(score_, 1);
      });
      s.repeat(blocks_used_ * kValueBlock - (w_.position + 1), [&](Script& s) {
        s.replace(w_.act, score_ + 0, Expr<Num>(0) + 0);
        s.change(score_, 1);
      });
    });
  }

  // out = sum over positions of weight * value for `heads_` heads, a block of positions after the
  // other.
  Proc<Num, Num> emit_mix() {
    const int size = spec_.head_size;
    std::vector<Var<Num>> weights;  // [head][position in the block]
    for (int i = 0; i < heads_ * kValueBlock; ++i) weights.push_back(local(fmt::format("w {}", i)));
    for (int h = 0; h < heads_; ++h) totals_.push_back(local(fmt::format("sum {}", h)));
    const auto weight = [&](int h, int k) -> const Var<Num>& {
      return weights[static_cast<std::size_t>(h * kValueBlock + k)];
    };
    const int unroll = largest_divisor(size, std::max(1, kMixLookups / (heads_ * kValueBlock)));
    const auto dims = engine_.define<>("mix " + name_ + " dims", {}, [&](Script& s) {
      s.set(out_, out_ + 0);
      s.set(key_, key_ + 0);
      for (int d = 0; d < unroll; ++d) {
        for (int h = 0; h < heads_; ++h) {
          const int at = h * size + d;
          s.replace(w_.act, out_ + at, w_.act[out_ + at] + unrolled_sum(kValueBlock, [&](int k) {
                                         return weight(h, k) * w_.values[key_ + (d * span_ + k)];
                                       }));
        }
      }
      s.change(out_, unroll);
      s.change(key_, unroll * span_);
    });
    const auto load_weights = engine_.define<>("mix " + name_ + " weights", {}, [&](Script& s) {
      s.set(score_, score_ + 0);
      for (int h = 0; h < heads_; ++h) {
        for (int k = 0; k < kValueBlock; ++k) {
          s.set(weight(h, k),
                w_.act[score_ + (scores_at(h) + k)] / totals_[static_cast<std::size_t>(h)]);
        }
      }
    });
    return engine_.define<Num, Num>("mix " + name_, {"out at", "value at"},
                                    [&](Script& s, Arg<Num> out_at, Arg<Num> value_at) {
                                      s.set(out_, out_at + 0);
                                      s.repeat(heads_ * size, [&](Script& s) {
                                        s.replace(w_.act, out_ + 0, Expr<Num>(0) + 0);
                                        s.change(out_, 1);
                                      });
                                      s.set(value_, value_at + 0);
                                      s.set(score_, 0);
                                      s.repeat(blocks_used_, [&](Script& s) {
                                        s.call(load_weights);
                                        s.set(out_, out_at + 0);
                                        s.set(key_, value_ + 0);
                                        s.repeat(size / unroll, [&](Script& s) { s.call(dims); });
                                        s.change(score_, kValueBlock);
                                        s.change(value_, kValueBlock);
                                      });
                                    });
  }

  static constexpr int kMixLookups = 256;  // products in one leaf

  Sprite& engine_;
  const Workspace& w_;
  const ExpBlocks& exp_;
  const AttentionSpec& spec_;
  int span_;
  const AttentionRegions& regions_;
  std::string name_;
  int heads_;  // that run together
  Var<Num> key_, value_, score_, q_, acc_, top_, total_, out_, blocks_used_;
  std::vector<Var<Num>> totals_;  // softmax sums of the heads that run together
};

}  // namespace

Proc<Num> emit_attention(Sprite& engine, const Workspace& w, const ExpBlocks& exp,
                         const AttentionSpec& spec, int span, const AttentionRegions& regions,
                         const std::string& name) {
  return AttentionEmitter(engine, w, exp, spec, span, regions, name).emit();
}

}  // namespace sb3lm
