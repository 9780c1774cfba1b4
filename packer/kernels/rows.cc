// The matrix kernel: one table lookup per 8 weights and bit plane, summed in large expressions.
//
// The forms differ in two ways. A compiler must know that an index is a number, which `+ 0` around
// the code tells it: without, a lookup costs 14 ns in TurboWarp instead of 2.6; with it, an
// interpreter pays a fifth more (docs/costs.md). And the compiler makes a plain function only of a
// procedure without loops once its warp timer is on, and asks the time in every turn of the others,
// so there a whole plane is a leaf of its own, and a row of them another, one for every width; an
// interpreter takes a few lookups a turn, the same procedure for every width. Both add in the same
// order.
#include "kernels/rows.h"

#include <algorithm>
#include <array>
#include <optional>

#include "model/recipe.h"
#include "scratch/player_limits.h"

namespace sb3lm {

using namespace blocks;

namespace {

constexpr std::array<const char*, 6> kArguments = {"codes at", "rows",      "planes",
                                                   "start",    "scales at", "out at"};
constexpr int kTurn = 32;          // lookups of an interpreted turn
constexpr int kShortestTurn = 12;  // below, the loop costs more than the blocks that it saves

int turn_of(int groups, Vm vm) {
  const int turn = largest_divisor(groups, vm == Vm::turbowarp ? kMaxTerms : kTurn);
  return turn < kShortestTurn ? largest_divisor(groups, kMaxTerms) : turn;
}

class RowsEmitter {
 public:
  RowsEmitter(Sprite& engine, const Workspace& w, Vm vm, std::string name)
      : engine_(engine),
        w_(w),
        vm_(vm),
        name_(std::move(name)),
        at_(local("at")),
        scale_(local("scale")),
        out_(local("out")),
        first_(local("first")) {}

  // A plane of `groups` lookups without a loop.
  RowsProc emit_whole(int groups) {
    // A variable takes an object for every fraction, an item of a list of fractions none.
    const auto sums = engine_.list<Num>("_" + name_ + " sums", {}, groups <= kMaxTerms ? 1 : 2);
    const auto plane = engine_.define<>(name_ + " plane", {}, [&](Script& s) {
      s.set(at_, at_ + 0);  // its type is known only inside the procedure that sets it
      if (groups <= kMaxTerms) {
        s.replace(sums, 1, sums[1] * 2 + lookups(lookup(0), 1, groups));
      } else {
        s.replace(sums, 2, lookups(lookup(0), 1, kMaxTerms));
        for (int from = kMaxTerms; from < groups; from += kMaxTerms) {
          s.replace(sums, 2, lookups(sums[2], from, std::min(from + kMaxTerms, groups)));
        }
        s.replace(sums, 1, sums[1] * 2 + sums[2]);
      }
      s.change(at_, groups);
    });
    const auto row =
        engine_.define<Num>(name_ + " row", {"planes"}, [&](Script& s, Arg<Num> planes) {
          s.set(scale_, scale_ + 0);
          s.set(out_, out_ + 0);
          s.replace(sums, 1, first_ + 0);
          planes_from(s, 1, planes, plane);
          end_row(s, sums[1]);
        });
    return engine_.define<Num, Num, Num, Num, Num, Num>(
        name_, kArguments,
        [&](Script& s, Arg<Num> codes_at, Arg<Num> rows, Arg<Num> planes, Arg<Num> start,
            Arg<Num> scales_at, Arg<Num> out_at) {
          begin(s, codes_at, start, scales_at, out_at);
          s.repeat(rows, [&](Script& s) { s.call(row, planes); });
        });
  }

  // A plane of `turns` turns of `turn` lookups.
  TurnedRowsProc emit_turned(int turn) {
    const auto acc = local("acc"), sum = local("sum");
    return engine_.define<Num, Num, Num, Num, Num, Num, Num>(
        name_, {"codes at", "rows", "planes", "start", "scales at", "out at", "turns"},
        [&](Script& s, Arg<Num> codes_at, Arg<Num> rows, Arg<Num> planes, Arg<Num> start,
            Arg<Num> scales_at, Arg<Num> out_at, Arg<Num> turns) {
          begin(s, codes_at, start, scales_at, out_at);
          s.repeat(rows, [&](Script& s) {
            s.set(acc, first_ + 0);
            s.repeat(planes, [&](Script& s) {
              s.set(sum, 0);
              s.repeat(turns, [&](Script& s) {
                s.set(sum, lookups(sum, 0, turn));
                s.change(at_, turn);
              });
              s.set(acc, acc * 2 + sum);
            });
            end_row(s, acc);
          });
        });
  }

 private:
  Var<Num> local(const char* what) { return engine_.var<Num>("_" + name_ + " " + what); }

  void begin(Script& s, Arg<Num>& codes_at, Arg<Num>& start, Arg<Num>& scales_at,
             Arg<Num>& out_at) const {
    s.set(at_, codes_at + 0);
    s.set(scale_, scales_at + 0);
    s.set(out_, out_at + 0);
    s.set(first_, w_.sum * start);
  }
  // A plane, and those behind it if there are any.
  static void planes_from(Script& s, int number, Arg<Num>& planes, const Proc<>& plane) {
    s.call(plane);
    if (number == kMostBits) return;
    s.when(planes + 0 > number, [&](Script& s) { planes_from(s, number + 1, planes, plane); });
  }
  void end_row(Script& s, Expr<Num> sum) const {
    s.replace(w_.act, out_, std::move(sum) * w_.scales[scale_]);
    s.change(scale_, 1);
    s.change(out_, 1);
  }

  Expr<Num> lookup(int k) const {
    auto code = w_.codes[at_ + k];
    return w_.table[vm_ == Vm::turbowarp ? std::move(code) + 0 : std::move(code)];
  }
  // sum + lookup(from) + ... as one chain.
  Expr<Num> lookups(Expr<Num> sum, int from, int to) const {
    for (int k = from; k < to; ++k) sum = std::move(sum) + lookup(k);
    return sum;
  }

  Sprite& engine_;
  const Workspace& w_;
  Vm vm_;
  std::string name_;
  Var<Num> at_, scale_, out_, first_;
};

}  // namespace

const RowsProc& RowKernels::of(int groups) {
  const auto known = of_.find(groups);
  return known != of_.end() ? known->second : of_.emplace(groups, emit(groups)).first->second;
}

RowsProc RowKernels::emit(int groups) {
  const std::string name = fmt::format("rows {}{}", groups, ending_);
  std::optional<RowsProc> whole;
  if (w_.tune != Tune::scratch && groups <= kMaxLookups) {
    const bool alone = w_.tune == Tune::turbowarp;
    whole = RowsEmitter(engine_, w_, Vm::turbowarp, alone ? name : name + " compiled")
                .emit_whole(groups);
    if (alone) return *whole;
  }
  return engine_.define<Num, Num, Num, Num, Num, Num>(
      name, kArguments,
      [&](Script& s, Arg<Num> codes_at, Arg<Num> rows, Arg<Num> planes, Arg<Num> start,
          Arg<Num> scales_at, Arg<Num> out_at) {
        const auto turned_for = [&](Vm vm) {
          return [&, vm](Script& s) {
            const int turn = turn_of(groups, vm);
            s.call(turned(vm, turn), codes_at, rows, planes, start, scales_at, out_at,
                   groups / turn);
          };
        };
        if (w_.tune != Tune::both) {
          turned_for(w_.tune == Tune::scratch ? Vm::scratch : Vm::turbowarp)(s);
        } else if (whole) {
          s.when_else(
              w_.compiled == 1,
              [&](Script& s) { s.call(*whole, codes_at, rows, planes, start, scales_at, out_at); },
              turned_for(Vm::scratch));
        } else {
          s.when_else(w_.compiled == 1, turned_for(Vm::turbowarp), turned_for(Vm::scratch));
        }
      });
}

const TurnedRowsProc& RowKernels::turned(Vm vm, int turn) {
  const auto known = turned_.find({vm, turn});
  if (known != turned_.end()) return known->second;
  std::string name = fmt::format("rows by {}{}", turn, ending_);
  if (w_.tune == Tune::both) name += vm == Vm::turbowarp ? " compiled" : " interpreted";
  return turned_.emplace(std::pair(vm, turn), RowsEmitter(engine_, w_, vm, name).emit_turned(turn))
      .first->second;
}

}  // namespace sb3lm
