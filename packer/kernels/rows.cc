// The matrix kernel: one table lookup per 8 weights and bit plane, summed in one large expression.
// The `+ 0` around a code makes its type known to TurboWarp; without it a lookup costs 14 ns there
// instead of 2.6 (CODEGEN.md b.1).
#include "kernels/kernels.h"

namespace sb3lm {

using namespace blocks;

namespace {

// The largest divisor of `groups` that one expression may hold.
int chunk_of(int groups) {
  int chunk = std::min(groups, kMaxTerms);
  while (groups % chunk != 0) --chunk;
  return chunk;
}

}  // namespace

RowsProc emit_rows(Sprite& engine, const Workspace& w, int groups) {
  const std::string name = fmt::format("rows {}", groups);
  const auto at = engine.var<Num>("_" + name + " at"), acc = engine.var<Num>("_" + name + " acc"),
             scale = engine.var<Num>("_" + name + " scale"),
             out = engine.var<Num>("_" + name + " out"),
             first = engine.var<Num>("_" + name + " first");
  const auto lookups = [&](int from, int count) {
    return unrolled_sum(count, [&](int k) { return w.table[w.codes[at + (from + k)] + 0]; });
  };
  const auto plane = [&](Script& s) {
    if (groups <= kMaxLookups) {
      for (int from = 0; from < groups; from += kMaxTerms) {
        const int count = std::min(kMaxTerms, groups - from);
        if (from == 0) {
          s.set(acc, acc * 2 + lookups(from, count));
        } else {
          s.set(acc, acc + lookups(from, count));
        }
      }
      s.change(at, groups);
    } else {
      const int chunk = chunk_of(groups);
      s.set(acc, acc * 2);
      s.repeat(groups / chunk, [&](Script& s) {
        s.set(acc, acc + lookups(0, chunk));
        s.change(at, chunk);
      });
    }
  };
  return engine.define<Num, Num, Num, Num, Num, Num>(
      name, {"codes at", "rows", "planes", "start", "scales at", "out at"},
      [&](Script& s, Arg<Num> codes_at, Arg<Num> rows, Arg<Num> planes, Arg<Num> start,
          Arg<Num> scales_at, Arg<Num> out_at) {
        s.set(at, codes_at + 0);
        s.set(scale, scales_at + 0);
        s.set(out, out_at + 0);
        s.set(first, w.sum * start);
        s.repeat(rows, [&](Script& s) {
          s.set(acc, first + 0);
          s.repeat(planes, plane);
          s.replace(w.act, out, acc * w.scales[scale]);
          s.change(scale, 1);
          s.change(out, 1);
        });
      });
}

}  // namespace sb3lm
