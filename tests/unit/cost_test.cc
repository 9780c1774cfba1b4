// Cost estimates: sums that can be done by hand, and the shape of real kernels.
#include "scratch/cost.h"

#include <doctest/doctest.h>

#include <map>

#include "kernels/kernels.h"
#include "kernels/rows.h"
#include "scratch/script.h"
#include "support/programs.h"

using namespace sb3lm;
using namespace sb3lm::blocks;
using scratch::Estimate;
using scratch::Machine;
using scratch::procedure_cost;

namespace {

using S = blocks::Script;

double ns(Machine machine, std::string_view name) {
  for (const scratch::CostRow& row : scratch::cost_rows(machine)) {
    if (row.name == name) return row.ns;
  }
  FAIL("no such cost: ", name);
  return 0;
}

struct Bench {
  scratch::Program program = test::empty_program();
  Sprite engine{program, 1};
  Var<Num> p = engine.var<Num>("_p");
  List<Num> l = engine.list<Num>("_l", {}, 10), t = engine.list<Num>("_t", {}, 10);

  template <class Body>
  Estimate cost(Body body, Machine machine = Machine::scratch) {
    engine.define<Num>("step", {"n"}, [&](S& s, Arg<Num> n) { body(s, n); });
    return procedure_cost(engine.target(), "step %s", machine);
  }
};

}  // namespace

TEST_CASE("every cost names its source") {
  for (const Machine machine : {Machine::turbowarp, Machine::scratch}) {
    CHECK(scratch::cost_rows(machine).size() > 10);
    for (const scratch::CostRow& row : scratch::cost_rows(machine)) {
      CHECK(row.ns > 0);
      CHECK(!row.source.empty());
    }
  }
}

TEST_CASE("blocks cost what their rows say, for every turn of a loop") {
  const auto row = [](const char* name) { return ns(Machine::scratch, name); };
  Bench b;
  const Estimate estimate = b.cost([&](S& s, Arg<Num>&) {
    s.set(b.p, 1);
    s.repeat(10, [&](S& s) { s.change(b.p, b.p + 1); });
  });
  CHECK(estimate.ns == doctest::Approx(row("set") + 10 * (row("repeat_turn") + row("change") +
                                                          2 * row("reporter"))));
  CHECK(estimate.unknown_loops == 0);
}

TEST_CASE("a lookup is one pattern, dearer for a compiler that does not know its type") {
  const auto one = [](bool known, Machine machine) {
    Bench b;
    return b
        .cost(
            [&](S& s, Arg<Num>&) {
              auto code = b.l[b.p + 1];
              s.set(b.p,
                    b.t[known ? std::move(code) + 0 : std::move(code)] + b.t[b.l[b.p + 2] + 0]);
            },
            machine)
        .ns;
  };
  for (const Machine machine : {Machine::turbowarp, Machine::scratch}) {
    CHECK(one(true, machine) == doctest::Approx(2 * ns(machine, "lookup") + ns(machine, "set")));
  }
  CHECK(one(false, Machine::turbowarp) > one(true, Machine::turbowarp) + 10);
  CHECK(one(false, Machine::scratch) < one(true, Machine::scratch));
}

TEST_CASE("what is not known is counted once and reported") {
  Bench b;
  const Estimate open = b.cost([&](S& s, Arg<Num>& n) {
    s.repeat(n, [&](S& s) { s.change(b.p, 1); });
    s.repeat_until(b.p > 3, [&](S& s) { s.change(b.p, 1); });
    s.when(b.p > 1, [&](S& s) { s.set(b.p, 0); });
    s.call(Proc<Num>{"step %s"}, 1);
  });
  CHECK(open.unknown_loops == 2);
  CHECK(open.choices == 1);
  CHECK(open.unknown_calls == 1);
  CHECK_THROWS(procedure_cost(b.engine.target(), "walk", Machine::scratch));
}

TEST_CASE("constant arguments are known to loops of what is called") {
  Bench b;
  const auto inner = b.engine.define<Num>("inner", {"turns"}, [&](S& s, Arg<Num> turns) {
    s.repeat(turns, [&](S& s) { s.set(b.p, 0); });
  });
  const Estimate estimate = b.cost([&](S& s, Arg<Num>&) { s.call(inner, 1000); });
  CHECK(estimate.unknown_loops == 0);
  const auto row = [](const char* name) { return ns(Machine::scratch, name); };
  CHECK(estimate.ns == doctest::Approx(row("call") + row("argument") + row("reporter") +
                                       1000 * (row("set") + row("repeat_turn"))));
}

TEST_CASE("constant arguments are known to choices of what is called") {
  const auto with = [](double planes) {
    Bench b;
    const auto inner = b.engine.define<Num>("inner", {"planes"}, [&](S& s, Arg<Num> planes) {
      s.when(planes + 0 > 3, [&](S& s) { s.repeat(1000, [&](S& s) { s.set(b.p, 0); }); });
    });
    return b.cost([&](S& s, Arg<Num>&) { s.call(inner, planes); });
  };
  const Estimate skipped = with(3), taken = with(4);
  CHECK(skipped.choices == 0);
  CHECK(taken.choices == 0);
  const double turn = ns(Machine::scratch, "set") + ns(Machine::scratch, "repeat_turn");
  CHECK(taken.ns - skipped.ns == doctest::Approx(1000 * turn));
}

TEST_CASE("of a tuned kernel each machine runs its own form, lookups dominating") {
  scratch::Program program = test::empty_program();
  Sprite engine{program, 1};
  const Workspace w = make_workspace(engine, {.tune = Tune::both});
  const RowsProc rows = RowKernels(engine, w).of(96);
  engine.define<>("multiply", {}, [&](S& s) { s.call(rows, 1, 768, 4, row_start(4), 1, 1); });
  constexpr double kLookups = 96 * 768 * 4;
  const std::map<Machine, double> measured = {{Machine::turbowarp, 2.7}, {Machine::scratch, 560}};
  for (const auto& [machine, per_lookup] : measured) {
    const Estimate estimate = procedure_cost(engine.target(), "multiply", machine);
    CHECK(estimate.ns / kLookups == doctest::Approx(per_lookup).epsilon(0.1));
    CHECK(estimate.unknown_loops == 0);
    CHECK(estimate.choices == 0);
  }
}
