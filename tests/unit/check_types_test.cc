// The rules about types: for each, programs that keep it and the smallest changes that break it.
// What counts as known was read from TurboWarp's own analysis (see check_types.cc).
#include "scratch/check_types.h"

#include <doctest/doctest.h>

#include "scratch/check.h"
#include "scratch/script.h"
#include "support/programs.h"

using namespace sb3lm;
using namespace sb3lm::blocks;

namespace {

using Faults = std::vector<std::string>;

using S = blocks::Script;

struct Bench {
  scratch::Program program = test::empty_program();
  Sprite engine{program, 1};
  List<Num> hot = engine.list<Num>("_hot", {}, 2000), codes = engine.list<Num>("_codes", {}, 10),
            small = engine.list<Num>("small", {}, 1000);
  Var<Num> p = engine.var<Num>("_p"), q = engine.var<Num>("_q"), x = engine.var<Num>("_x");

  Faults run(const Proc<>& procedure) {
    engine.when_flag([&](S& s) { s.call(procedure); });
    return unknown_indexes(program, {});
  }
};

// What the rule says of a procedure `step n` with this body, called by a script.
template <class Body>
Faults indexes(Body body) {
  Bench b;
  const auto step = b.engine.define<Num>("step", {"n"}, [&](S& s, Arg<Num> n) { body(b, s, n); });
  b.engine.when_flag([&](S& s) { s.call(step, 1); });
  return unknown_indexes(b.program, {});
}

bool keeps(const Faults& faults) {
  for (const std::string& fault : faults) MESSAGE(fault);
  return faults.empty();
}

bool breaks(const Faults& faults, const std::string& text) {
  return faults.size() == 1 && faults[0].find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("arithmetic and literals are numbers; arguments, items and fresh variables are not") {
  CHECK(keeps(indexes([](Bench& b, S& s, Arg<Num>& n) {
    s.set(b.x, b.hot[n + 0] + b.hot[7] + b.hot[floor(n)] + b.hot[b.codes.length()]);
    s.set(b.x, b.hot[b.codes[n + 1] + 0]);
  })));
  CHECK(
      breaks(indexes([](Bench& b, S& s, Arg<Num>& n) { s.set(b.x, b.hot[n]); }),
             "engine: define step %s: item of '_hot': TurboWarp does not know that the index (n)"));
  CHECK(breaks(indexes([](Bench& b, S& s, Arg<Num>&) { s.set(b.x, b.hot[b.p]); }), "(_p)"));
  CHECK(breaks(indexes([](Bench& b, S& s, Arg<Num>& n) { s.set(b.x, b.hot[b.codes[n + 1]]); }),
               "of [_codes v]"));
  CHECK(breaks(indexes([](Bench& b, S& s, Arg<Num>& n) { s.replace(b.hot, n, 1); }),
               "replace item of '_hot'"));
  CHECK(keeps(indexes([](Bench& b, S& s, Arg<Num>& n) { s.set(b.x, b.small[n]); })));
}

TEST_CASE("a variable has the type of what was last set") {
  CHECK(keeps(indexes([](Bench& b, S& s, Arg<Num>& n) {
    s.set(b.p, n + 0);
    s.set(b.q, b.p);
    s.change(b.x, n);  // a sum is a number whatever it adds
    s.set(b.x, b.hot[b.q] + b.hot[b.x]);
  })));
  CHECK(breaks(indexes([](Bench& b, S& s, Arg<Num>& n) {
                 s.set(b.p, n + 0);
                 s.set(b.p, n);
                 s.set(b.x, b.hot[b.p]);
               }),
               "(_p)"));
}

TEST_CASE("both ways of a choice and every turn of a loop must agree") {
  const auto choose = [](bool otherwise) {
    return indexes([&](Bench& b, S& s, Arg<Num>& n) {
      s.when_else(
          n < 1, [&](S& s) { s.set(b.p, 1); },
          [&](S& s) {
            if (otherwise) s.set(b.p, 2);
          });
      s.set(b.x, b.hot[b.p]);
    });
  };
  CHECK(keeps(choose(true)));
  CHECK(breaks(choose(false), "(_p)"));
  const auto loop = [](bool before, bool spoil) {
    return indexes([&](Bench& b, S& s, Arg<Num>& n) {
      if (before) s.set(b.p, 1);
      s.repeat(n, [&](S& s) {
        if (before) s.set(b.x, b.hot[b.p]);
        s.change(b.p, 1);
        if (spoil) s.set(b.p, n);
      });
      s.set(b.x, b.small[1] + b.hot[b.p]);
    });
  };
  CHECK(keeps(loop(true, false)));
  CHECK(breaks(loop(false, false), "(_p)"));  // no turn at all
  CHECK(breaks(loop(true, true), "(_p)"));
}

TEST_CASE("a condition is looked at before the first turn and after each") {
  const auto until = [](bool spoil) {
    return indexes([&](Bench& b, S& s, Arg<Num>& n) {
      s.set(b.p, 1);
      s.repeat_until(b.hot[b.p] > 0, [&](S& s) {
        if (spoil) {
          s.set(b.p, n);
        } else {
          s.change(b.p, 1);
        }
      });
    });
  };
  CHECK(keeps(until(false)));
  CHECK(breaks(until(true), "(_p)"));
}

TEST_CASE("a call leaves what the callee leaves, and what it does not set") {
  // _p is known before the call; then an item is read at both _p and _q.
  const auto through = [](auto inner_body) {
    Bench b;
    const auto inner = b.engine.define<>("inner", {}, [&](S& s) { inner_body(b, s); });
    return b.run(b.engine.define<>("outer", {}, [&](S& s) {
      s.set(b.p, 1);
      s.call(inner);
      s.set(b.x, b.hot[b.p] + b.hot[b.q]);
    }));
  };
  CHECK(keeps(through([](Bench& b, S& s) { s.set(b.q, b.q + 0); })));
  CHECK(breaks(through([](Bench& b, S& s) { s.set(b.x, 1); }), "(_q)"));
  CHECK(breaks(through([](Bench& b, S& s) {
                 s.set(b.q, 1);
                 s.set(b.p, b.codes[1]);
               }),
               "(_p)"));
  CHECK(breaks(through([](Bench& b, S& s) {
                 s.when(b.x == 1, [&](S& s) { s.stop("this script"); });
                 s.set(b.q, 1);
               }),
               "(_q)"));
}

TEST_CASE("a procedure knows nothing of its caller, nor a loop that waits of what was before") {
  Bench own;
  const auto inner = own.engine.define<>("inner", {}, [&](S& s) { s.set(own.x, own.hot[own.p]); });
  CHECK(breaks(own.run(own.engine.define<>("outer", {},
                                           [&](S& s) {
                                             s.set(own.p, 1);
                                             s.call(inner);
                                           })),
               "define inner"));
  const auto looping = [](Bench& b) {
    return [&b](S& s) {
      s.set(b.p, 1);
      s.repeat(10, [&](S& s) { s.set(b.x, b.hot[b.p]); });
    };
  };
  Bench waiting, warp;
  CHECK(
      breaks(waiting.run(waiting.engine.define_yielding<>("loop", {}, looping(waiting))), "(_p)"));
  const auto loop = warp.engine.define_yielding<>("loop", {}, looping(warp));
  CHECK(keeps(warp.run(warp.engine.define<>("all", {}, [&](S& s) { s.call(loop); }))));
}

TEST_CASE("no variable is known in the arguments of a call") {
  const auto passing = [](bool sum) {
    Bench b;
    const auto take = b.engine.define<Num>("take", {"n"}, [&](S& s, Arg<Num> n) { s.set(b.x, n); });
    return b.run(b.engine.define<>("outer", {}, [&](S& s) {
      s.set(b.p, 1);
      s.call(take, b.hot[sum ? b.p + 0 : Expr<Num>(b.p)]);
    }));
  };
  CHECK(keeps(passing(true)));
  CHECK(breaks(passing(false), "(_p)"));
}

TEST_CASE("a procedure that calls itself ends its caller's knowledge") {
  Bench b;
  const Proc<> self{"again"};
  CHECK(breaks(b.run(b.engine.define<>("again", {},
                                       [&](S& s) {
                                         s.set(b.p, 1);
                                         s.when(b.x == 1, [&](S& s) { s.call(self); });
                                         s.set(b.x, b.hot[b.p]);
                                       })),
               "(_p)"));
}

TEST_CASE("interpreted forms may leave types open, and so may programs for scratch-vm only") {
  const auto program = [](const std::string& name) {
    Bench b;
    const auto form = b.engine.define<>(name, {}, [&](S& s) {
      s.set(b.x, b.hot[b.p] + b.small[b.q + 1]);
      s.set(b.x, b.codes[1]);
    });
    b.engine.when_flag([&](S& s) { s.call(form); });
    return std::move(b.program);
  };
  CHECK(check_program(program("rows interpreted")).empty());
  CHECK(breaks(check_program(program("rows compiled")), "(_p)"));
  CHECK(breaks(check_program(program("rows uninterpreted")), "(_p)"));
  CHECK(check_program(program("rows"), {.compiled = false}).empty());
  CHECK_THROWS(require_valid(program("rows")));
}

TEST_CASE("no text gets into a list of numbers") {
  const auto storing = [](scratch::NodePtr value, scratch::Scalar preloaded) {
    Bench b;
    b.engine.list<Num>("_list", {std::move(preloaded)});
    b.engine.when_flag([&](S& s) { s.push(test::append(std::move(value), "_list")); });
    return texts_among_numbers(b.program, {});
  };
  CHECK(keeps(storing((blocks::Expr<Num>(0) + 0).take(), 1.0)));
  CHECK(breaks(storing(test::num(0), 1.0), "(0) would be stored as text in '_list'"));
  CHECK(breaks(storing(test::text("0"), 1.0), "[0] would be stored as text in '_list'"));
  CHECK(keeps(storing(test::text("0"), std::string("a"))));

  Bench filled;
  const auto list = filled.engine.list<Num>("_filled");
  filled.engine.when_flag([&](S& s) {
    s.append(list, filled.p + 1);
    s.push(test::append(test::text("1"), "_filled"));
  });
  CHECK(breaks(texts_among_numbers(filled.program, {}), "'_filled', which holds numbers"));

  Bench mixed;
  mixed.engine.list<Num>("_mixed", {1.0, std::string("2")});
  CHECK(breaks(texts_among_numbers(mixed.program, {}), "1 of the items of '_mixed' are texts"));
}

TEST_CASE("a loop's sum is a variable") {
  const auto summing = [](bool moving) {
    Bench b;
    b.engine.when_flag([&](S& s) {
      s.repeat(10, [&](S& s) {
        s.replace(b.hot, b.p + 1, b.hot[b.p + 1] + b.codes[b.q + 0]);
        s.change(moving ? b.p : b.q, 1);
      });
    });
    return sums_in_items(b.program, {});
  };
  CHECK(keeps(summing(true)));
  CHECK(breaks(summing(false), "is a loop's running sum"));
}
