// Grouped-query attention over one pass's KV cache. Keys are stored by position, values by
// dimension, so that both inner products read consecutive items.
#include <cmath>

#include "kernels/kernels.h"

namespace sb3lm {

using namespace blocks;

Proc<Num> emit_attention(Sprite& engine, const Workspace& w, const ExpBlocks& exp,
                         const AttentionSpec& spec, int span, const AttentionRegions& regions,
                         const std::string& name) {
  const auto local = [&](const char* what) {
    return engine.var<Num>("_attend " + name + " " + what);
  };
  const auto key = local("key"), value = local("value"), score = local("score"), q = local("q"),
             acc = local("acc"), top = local("max"), total = local("sum"), out = local("out"),
             head = local("head"), count = local("count"), blocks_used = local("blocks"),
             group = local("group");
  const int kv_width = spec.kv_heads * spec.head_size;
  const int queries_per_kv = spec.query_heads / spec.kv_heads;

  const auto store =
      engine.define<Num>("cache " + name, {"cache at"}, [&](Script& s, Arg<Num> cache_at) {
        s.set(key, cache_at + w.position * kv_width);
        s.set(value, cache_at + w.position);
        s.set(q, 0);
        s.repeat(kv_width, [&](Script& s) {
          s.replace(w.keys, key + q, w.act[q + regions.k] + 0);
          s.replace(w.values, value + 0, w.act[q + regions.v] + 0);
          s.change(q, 1);
          s.change(value, span);
        });
      });

  // scores = q.k / sqrt(head size) for every cached position, their maximum in `top`.
  const auto scores = engine.define<Num, Num>(
      "scores " + name, {"query at", "key at"}, [&](Script& s, Arg<Num> query_at, Arg<Num> key_at) {
        s.set(q, query_at + 0);
        s.set(key, key_at + 0);
        s.set(score, regions.scores);
        s.set(top, -1e300);
        s.repeat(w.position + 1, [&](Script& s) {
          for (int from = 0; from < spec.head_size; from += kMaxTerms) {
            const int terms = std::min(kMaxTerms, spec.head_size - from);
            auto products = unrolled_sum(
                terms, [&](int k) { return w.act[q + (from + k)] * w.keys[key + (from + k)]; });
            s.set(acc, from == 0 ? std::move(products) : acc + std::move(products));
          }
          s.set(acc, acc / std::sqrt(static_cast<double>(spec.head_size)));
          s.replace(w.act, score + 0, acc + 0);
          s.when(acc > top, [&](Script& s) { s.set(top, acc + 0); });
          s.change(score, 1);
          s.change(key, kv_width);
        });
      });

  // scores become exp(score - max), zero up to a whole block; their sum in `total`.
  const auto softmax = engine.define<>("softmax " + name, {}, [&](Script& s) {
    s.set(score, regions.scores);
    s.set(total, 0);
    s.repeat(w.position + 1, [&](Script& s) {
      s.call(exp.exp, w.act[score + 0] - top);
      s.replace(w.act, score + 0, w.exp + 0);
      s.change(total, w.exp + 0);
      s.change(score, 1);
    });
    s.repeat(blocks_used * kValueBlock - (w.position + 1), [&](Script& s) {
      s.replace(w.act, score + 0, 0);
      s.change(score, 1);
    });
  });

  // out = sum over positions of weight * value, one dimension after the other.
  const auto mix = engine.define<Num, Num>(
      "mix " + name, {"out at", "value at"}, [&](Script& s, Arg<Num> out_at, Arg<Num> value_at) {
        s.set(out, out_at + 0);
        s.set(value, value_at + 0);
        s.repeat(spec.head_size, [&](Script& s) {
          s.set(acc, 0);
          s.set(score, regions.scores);
          s.set(key, value + 0);
          s.repeat(blocks_used, [&](Script& s) {
            s.set(acc, acc + unrolled_sum(kValueBlock, [&](int k) {
                         return w.act[score + k] * w.values[key + k];
                       }));
            s.change(score, kValueBlock);
            s.change(key, kValueBlock);
          });
          s.replace(w.act, out + 0, acc / total);
          s.change(out, 1);
          s.change(value, span);
        });
      });

  return engine.define<Num>("attend " + name, {"cache at"}, [&](Script& s, Arg<Num> cache_at) {
    s.call(store, cache_at);
    s.set(blocks_used, floor(w.position / kValueBlock) + 1);
    s.set(head, 0);
    s.set(group, 0);
    s.repeat(spec.kv_heads, [&](Script& s) {
      s.set(count, 0);
      s.repeat(queries_per_kv, [&](Script& s) {
        s.call(scores, head * spec.head_size + regions.q, cache_at + group * spec.head_size);
        s.call(softmax);
        s.call(mix, head * spec.head_size + regions.out,
               cache_at + group * (spec.head_size * span));
        s.change(head, 1);
      });
      s.change(group, 1);
    });
  });
}

}  // namespace sb3lm
