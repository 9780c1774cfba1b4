// How the fast engine binds the steps of a model.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "runtime_ref/fast/binder.h"
#include "runtime_ref/fast_engine.h"
#include "support/tiny_model.h"

using namespace sb3lm;

namespace {

/// What `run` is refused with, empty if it is not.
template <class Run>
std::string refusal(Fault fault, Run run) {
  try {
    run();
  } catch (const Error& error) {
    CHECK(error.fault == fault);
    return error.what();
  }
  return "";
}

std::vector<fast::OpRow> rows_without(StepOp op) {
  const auto all = fast::op_rows();
  std::vector<fast::OpRow> rows(all.begin(), all.end());
  std::erase_if(rows, [&](const fast::OpRow& row) { return row.op == op; });
  return rows;
}

/// norm: 0 -> 1; matrix: 1 -> 2; `between`; matrix: 1 -> 3.
Part two_matrices(Step between) {
  Part part;
  part.steps = {{.op = StepOp::norm, .in = {0}, .out = 1},
                {.op = StepOp::matrix, .in = {1}, .out = 2},
                std::move(between),
                {.op = StepOp::matrix, .in = {1}, .out = 3}};
  return part;
}

}  // namespace

TEST_CASE("the fast engine has a row for every operation") {
  const std::vector<StepOp> only_double = {};
  for (const StepOp op : all_ops()) {
    CAPTURE(op_name(op));
    const auto rows = fast::op_rows();
    const auto count = std::count_if(rows.begin(), rows.end(),
                                     [&](const fast::OpRow& row) { return row.op == op; });
    const bool expected = std::count(only_double.begin(), only_double.end(), op) == 0;
    CHECK(count == (expected ? 1 : 0));
  }
}

TEST_CASE("an operation without a row is refused by name and formula") {
  const PackedModel model = pack_weights(tiny_model("tiny-dense"));
  const ForwardSteps forward = steps_of(model.about.spec);
  const auto bind_without = [&](StepOp op) {
    return refusal(Fault::unsupported, [&] {
      fast::Shared shared(forward, fast::scalar_kernels(), 1);
      const std::vector<fast::OpRow> rows = rows_without(op);
      static_cast<void>(fast::Binder(model, forward, shared).bind(rows));
    });
  };
  CHECK(bind_without(StepOp::activate) ==
        fmt::format("'activate', {}; the fast engine has no form of it: use --engine double",
                    op_formula(StepOp::activate)));
  CHECK(bind_without(StepOp::experts).empty());  // a dense model has none
}

TEST_CASE("the fast engine asks for the weights that the spec asks for") {
  const PackedModel whole = pack_weights(tiny_model("tiny-moe"));
  const auto with = [&](auto change) {
    PackedModel model = whole;
    change(model.matrices);
    return refusal(Fault::bug, [&] { FastEngine engine(model); });
  };
  CHECK(with([](auto&) {}).empty());
  CHECK(with([](auto& matrices) {
          matrices.erase({Role::expert_up, 1, 2});
        }).find("lacks a matrix") != std::string::npos);
  CHECK(with([](auto& matrices) {
          ++matrices.at({Role::attention_norm, 0}).shape.cols;
        }).find("shape is not the one") != std::string::npos);
}

TEST_CASE("matrices that read one vector run together where nothing touches their outputs") {
  Part part;
  const auto places = [&](const Step& between, const std::vector<bool>& needed) {
    part = two_matrices(between);
    return fast::places_of(part, needed);
  };
  const std::vector<bool> all(4, true);

  auto found = places({.op = StepOp::turn, .out = 2}, all);
  REQUIRE(found.size() == 3);
  CHECK(found[1].prepares);
  REQUIRE(found[1].along.size() == 1);
  CHECK(found[1].along[0].step->out == 3);

  found = places({.op = StepOp::add, .in = {3}, .out = 2}, all);
  REQUIRE(found.size() == 4);
  CHECK(found[1].along.empty());
  CHECK_FALSE(found[3].prepares);

  // The first one prepares wanted tokens only.
  found = places({.op = StepOp::add, .in = {3}, .out = 2}, {true, false, false, true});
  REQUIRE(found.size() == 4);
  CHECK(found[3].prepares);

  // Another value of the vector.
  found = places({.op = StepOp::norm, .in = {0}, .out = 1}, all);
  REQUIRE(found.size() == 4);
  CHECK(found[3].prepares);
}

TEST_CASE("tokens whose logits nobody wants stop at the last pass's keys and values") {
  const ForwardSteps forward = steps_of(tiny_model("tiny-moe").spec);
  std::size_t last = forward.parts.size() - 1;
  while (forward.parts[last].kind != PartKind::attention) --last;
  std::string all, wanted, along;
  for (const fast::Place& place :
       fast::places_of(forward.parts[last], needed_later(forward)[last])) {
    fmt::format_to(std::back_inserter(place.runs_for_all() ? all : wanted), "{} ",
                   op_name(place.step->op));
    for (const fast::Place& other : place.along) {
      fmt::format_to(std::back_inserter(along), "{} {} ", role_name(other.step->tensors[0].role),
                     other.for_all ? "all" : "wanted");
    }
  }
  CHECK(all == "norm matrix turn store ");
  CHECK(along == "v all q wanted ");
  CHECK(wanted == "turn attend matrix add ");
}
