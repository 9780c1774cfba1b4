// The matrix kernel: one table lookup per 8 weights and bit plane, summed in one large expression.
//
// The forms differ in two ways. A compiler must know that an index is a number, which `+ 0` around
// the code tells it: without, a lookup costs 14 ns in TurboWarp instead of 2.6; with it, an
// interpreter pays a fifth more (ARCHITECTURE.md, "Costs of blocks"). And the compiler makes a
// plain function only of a procedure without loops once its warp timer is on, so there the sum is a
// leaf of its own.
#include <algorithm>
#include <optional>

#include "kernels/kernels.h"
#include "kernels/tuned.h"

namespace sb3lm {

using namespace blocks;

namespace {

constexpr std::array<const char*, 6> kArguments = {"codes at", "rows",      "planes",
                                                   "start",    "scales at", "out at"};

class RowsEmitter {
 public:
  RowsEmitter(Sprite& engine, const Workspace& w, int groups, Vm vm, std::string name)
      : engine_(engine),
        w_(w),
        groups_(groups),
        vm_(vm),
        name_(std::move(name)),
        at_(local("at")),
        acc_(local("acc")),
        scale_(local("scale")),
        out_(local("out")),
        first_(local("first")) {}

  RowsProc emit() {
    const bool leaf = vm_ == Vm::turbowarp && groups_ <= kMaxLookups;
    std::optional<Proc<>> plane;
    if (leaf) {
      plane = engine_.define<>(name_ + " plane", {}, [&](Script& s) {
        s.set(at_, at_ + 0);  // its type is known only inside the procedure that sets it
        add_plane(s);
      });
    }
    return engine_.define<Num, Num, Num, Num, Num, Num>(
        name_, kArguments,
        [&](Script& s, Arg<Num> codes_at, Arg<Num> rows, Arg<Num> planes, Arg<Num> start,
            Arg<Num> scales_at, Arg<Num> out_at) {
          s.set(at_, codes_at + 0);
          s.set(scale_, scales_at + 0);
          s.set(out_, out_at + 0);
          s.set(first_, w_.sum * start);
          s.repeat(rows, [&](Script& s) {
            s.set(acc_, first_ + 0);
            s.repeat(planes, [&](Script& s) {
              if (leaf) {
                s.call(*plane);
              } else {
                add_plane(s);
              }
            });
            s.replace(w_.act, out_, acc_ * w_.scales[scale_]);
            s.change(scale_, 1);
            s.change(out_, 1);
          });
        });
  }

 private:
  Var<Num> local(const char* what) { return engine_.var<Num>("_" + name_ + " " + what); }

  // acc = 2 acc + one plane of the row; `at` moves to the next plane.
  void add_plane(Script& s) {
    if (groups_ > kMaxLookups) {
      add_plane_in_chunks(s);
      return;
    }
    for (int from = 0; from < groups_; from += kMaxTerms) {
      const int count = std::min(kMaxTerms, groups_ - from);
      auto before = from == 0 ? acc_ * 2 : Expr<Num>(acc_);
      s.set(acc_, std::move(before) + lookups(from, count));
    }
    s.change(at_, groups_);
  }

  void add_plane_in_chunks(Script& s) {
    int chunk = kMaxTerms;
    while (groups_ % chunk != 0) --chunk;
    s.set(acc_, acc_ * 2);
    s.repeat(groups_ / chunk, [&](Script& s) {
      s.set(acc_, acc_ + lookups(0, chunk));
      s.change(at_, chunk);
    });
  }

  Expr<Num> lookups(int from, int count) const {
    return unrolled_sum(count, [&](int k) {
      auto code = w_.codes[at_ + (from + k)];
      return w_.table[vm_ == Vm::turbowarp ? std::move(code) + 0 : std::move(code)];
    });
  }

  Sprite& engine_;
  const Workspace& w_;
  int groups_;
  Vm vm_;
  std::string name_;
  Var<Num> at_, acc_, scale_, out_, first_;
};

}  // namespace

RowsProc emit_rows(Sprite& engine, const Workspace& w, int groups) {
  return emit_tuned<Num, Num, Num, Num, Num, Num>(
      engine, w, fmt::format("rows {}", groups), kArguments, [&](Vm vm, const std::string& name) {
        return RowsEmitter(engine, w, groups, vm, name).emit();
      });
}

}  // namespace sb3lm
