#include "kernels/columns.h"

#include <algorithm>

namespace sb3lm {

using namespace blocks;

namespace {

// What a turn costs beside its lookups, in lookups (docs/costs.md); more columns cost blocks
// instead.
constexpr int kTurnCost = 3;
constexpr int kFewestColumns = 8, kWantedColumns = 32;

struct Demand {
  std::int64_t items = 0, cost = 0;
};

Demand demand_of(const std::vector<ColumnDemand>& demands, int columns) {
  Demand sum;
  for (const ColumnDemand& matrix : demands) {
    const std::int64_t turns = matrix.planes * column_turns(matrix.groups, columns);
    sum.items += turns;
    sum.cost += turns * (columns + kTurnCost);
  }
  return sum;
}

// turn(k, list) for every column.
template <class Turn>
void each_column(const Workspace& w, Turn turn) {
  for (std::size_t k = 0; k < w.columns.size(); ++k) turn(static_cast<int>(k), w.columns[k]);
}

}  // namespace

int choose_columns(const std::vector<ColumnDemand>& demands, std::int64_t most) {
  int best = 0;
  std::int64_t least = 0;
  for (int columns = kFewestColumns; columns <= kMaxTerms; ++columns) {
    const Demand demand = demand_of(demands, columns);
    if (demand.items > most || (best != 0 && (columns > kWantedColumns || demand.cost >= least))) {
      continue;
    }
    best = columns;
    least = demand.cost;
  }
  return best;
}

ColumnRowsProc emit_column_rows(Sprite& engine, const Workspace& w) {
  const auto local = [&](const char* what) {
    return engine.var<Num>(std::string("_rows ") + what);
  };
  const auto at = local("at"), acc = local("acc"), scale = local("scale"), out = local("out"),
             first = local("first");
  return engine.define<Num, Num, Num, Num, Num, Num, Num>(
      "rows", {"codes at", "rows", "planes", "start", "scales at", "out at", "turns"},
      [&](Script& s, Arg<Num> codes_at, Arg<Num> rows, Arg<Num> planes, Arg<Num> start,
          Arg<Num> scales_at, Arg<Num> out_at, Arg<Num> turns) {
        s.set(at, codes_at + 0);
        s.set(scale, scales_at + 0);
        s.set(out, out_at + 0);
        s.set(first, w.sum * start);
        s.repeat(rows, [&](Script& s) {
          s.set(acc, first);
          s.repeat(planes, [&](Script& s) {
            s.set(acc, acc * 2);
            s.repeat(turns, [&](Script& s) {
              s.change(acc, unrolled_sum(static_cast<int>(w.columns.size()), [&](int k) {
                         return w.table[w.columns[static_cast<std::size_t>(k)][at]];
                       }));
              s.change(at, 1);
            });
          });
          s.replace(w.act, out, acc * w.scales[scale]);
          s.change(scale, 1);
          s.change(out, 1);
        });
      });
}

Proc<Num> emit_append_to_columns(Sprite& engine, const Workspace& w) {
  const auto at = engine.var<Num>("_append at");
  return engine.define<Num>("append to columns", {"turns"}, [&](Script& s, Arg<Num> turns) {
    s.set(at, 1);
    s.repeat(turns, [&](Script& s) {
      each_column(w, [&](int k, const List<Num>& column) {
        s.append(column, k == 0 ? w.codes[at] : w.codes[at + k]);
      });
      s.change(at, static_cast<double>(w.columns.size()));
    });
  });
}

Proc<Num, Num, Num> emit_column_embed(Sprite& engine, const Workspace& w, int bits, int cols,
                                      const std::string& name) {
  const int groups = (cols + 7) / 8, columns = static_cast<int>(w.columns.size());
  const int stride = column_turns(groups, columns) * columns;
  const auto local = [&](const char* what) { return engine.var<Num>("_" + name + " " + what); };
  const auto at = local("at"), out = local("out"), acc = local("acc"), byte = local("byte"),
             half = local("half"), group = local("group");
  const auto fetch =
      engine.define<Num>("fetch " + name + " row", {"codes at"}, [&](Script& s, Arg<Num> from) {
        s.set(at, from + 0);
        s.clear(w.codes);
        s.repeat(bits * column_turns(groups, columns), [&](Script& s) {
          each_column(w, [&](int, const List<Num>& column) { s.append(w.codes, column[at]); });
          s.change(at, 1);
        });
      });
  // One bit means 2 * code - 1 with the scale stored doubled: code - 0.5.
  const double start = bits == 1 ? -0.5 : -static_cast<double>(1 << (bits - 1));
  return engine.define<Num, Num, Num>(
      name, {"codes at", "scale at", "out at"},
      [&](Script& s, Arg<Num> codes_at, Arg<Num> scale_at, Arg<Num> out_at) {
        s.call(fetch, codes_at);
        s.set(group, 1);
        s.set(out, out_at + 7);
        s.repeat(groups, [&](Script& s) {
          // Eight weights, the last first: the lowest bit of each plane's index less 1.
          s.repeat(8, [&](Script& s) {
            s.set(acc, 0);
            s.set(at, group);
            s.repeat(bits, [&](Script& s) {
              s.set(byte, w.codes[at] - 1);
              s.set(half, floor(byte / 2));
              s.set(acc, acc * 2 + (byte - half * 2));
              s.replace(w.codes, at, half + 1);
              s.change(at, stride);
            });
            s.replace(w.act, out, (acc + start) * w.scales[scale_at]);
            s.change(out, -1);
          });
          s.change(group, 1);
          s.change(out, 16);
        });
        // Padding columns must stay 0 for the table.
        for (int col = cols; col < groups * 8; ++col) s.replace(w.act, out_at + col, 0);
      });
}

}  // namespace sb3lm
