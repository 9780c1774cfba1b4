#include "scratch/cost.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "base/error.h"
#include "base/number_text.h"
#include "scratch/forms.h"

namespace sb3lm::scratch {
namespace {

enum class Cost {
#define COST(name, ns, source) name,
#include "scratch/cost_turbowarp.def"
#undef COST
};

#define COST(name, ns, source) CostRow{#name, ns, source},
constexpr std::array kTurbowarp = {
#include "scratch/cost_turbowarp.def"
};
constexpr std::array kScratch = {
#include "scratch/cost_scratch.def"
};
#undef COST
static_assert(std::equal(kTurbowarp.begin(), kTurbowarp.end(), kScratch.begin(), kScratch.end(),
                         [](const CostRow& a, const CostRow& b) { return a.name == b.name; }));

using Constants = std::map<std::string, double>;  // the arguments whose values are known

bool is_item(const NodePtr& node) {
  return node && node->op == Op::list_item;
}

bool is_literal(const Node& node) {
  return node.op == Op::literal_number || node.op == Op::literal_text;
}

// Arguments and items are numbers to nobody's knowledge; variables are taken to be known, which
// check_types.cc sees to.
bool is_untyped(const NodePtr& index) {
  return index && (index->op == Op::argument || index->op == Op::list_item);
}

// A lookup: an item whose index is an item, or an item and a constant.
bool is_lookup(const NodePtr& node) {
  if (!is_item(node) || node->inputs.empty() || !node->inputs[0]) return false;
  const Node& index = *node->inputs[0];
  return index.op == Op::list_item ||
         ((index.op == Op::add || index.op == Op::subtract) &&
          std::any_of(index.inputs.begin(), index.inputs.end(), is_item));
}

class Estimator {
 public:
  Estimator(const Target& target, Machine machine)
      : target_(target),
        costs_(cost_rows(machine)),
        other_form_(machine == Machine::turbowarp ? "interpreted" : "compiled") {}

  const Procedure* find(std::string_view code) const {
    const auto found = std::find_if(target_.procedures.begin(), target_.procedures.end(),
                                    [&](const Procedure& one) { return one.code == code; });
    return found == target_.procedures.end() ? nullptr : &*found;
  }

  Estimate procedure(const Procedure& procedure, const Constants& constants) {
    Estimate estimate;
    open_.push_back(&procedure);
    stack(procedure.body, constants, estimate);
    open_.pop_back();
    return estimate;
  }

 private:
  double cost(Cost row) const { return costs_[static_cast<std::size_t>(row)].ns; }

  static void add(Estimate& sum, const Estimate& more, double times = 1) {
    sum.ns += times * more.ns;
    sum.unknown_loops += more.unknown_loops;
    sum.choices += more.choices;
    sum.unknown_calls += more.unknown_calls;
  }

  double inputs(const Node& node) const {
    double ns = 0;
    for (const NodePtr& input : node.inputs) ns += reporter(input);
    return ns;
  }

  double reporter(const NodePtr& node) const {
    if (!node || is_literal(*node)) return 0;
    if (is_lookup(node)) {
      return cost(is_item(node->inputs[0]) ? Cost::lookup_untyped : Cost::lookup);
    }
    if (node->op == Op::add && std::any_of(node->inputs.begin(), node->inputs.end(), is_lookup)) {
      return inputs(*node);  // a lookup's cost has its term in it
    }
    return inputs(*node) + own(*node);
  }

  double own(const Node& node) const {
    switch (node.op) {
      case Op::list_item:
        return cost(!node.inputs.empty() && is_untyped(node.inputs[0]) ? Cost::item_untyped
                                                                       : Cost::item);
      case Op::join:
        return cost(Cost::join);
      case Op::letter_of:
        return cost(Cost::letter);
      default:
        return cost(Cost::reporter);
    }
  }

  void stack(const Stack& blocks, const Constants& constants, Estimate& estimate) {
    for (const NodePtr& block : blocks) {
      if (block) command(*block, constants, estimate);
    }
  }

  Estimate body(const Node& node, std::size_t index, const Constants& constants) {
    Estimate estimate;
    if (index < node.bodies.size()) stack(node.bodies[index], constants, estimate);
    return estimate;
  }

  void command(const Node& node, const Constants& constants, Estimate& estimate) {
    const bool until = node.op == Op::repeat_until || node.op == Op::while_loop;
    if (!until) estimate.ns += inputs(node);
    switch (node.op) {
      case Op::set_variable:
        estimate.ns += cost(Cost::set);
        return;
      case Op::change_variable:
        estimate.ns += cost(Cost::change);
        return;
      case Op::list_replace:
        estimate.ns += cost(Cost::replace);
        return;
      case Op::list_add:
        estimate.ns += cost(Cost::append);
        return;
      case Op::if_then:
      case Op::if_else:
        choice(node, constants, estimate);
        return;
      case Op::repeat: {
        const std::optional<double> turns =
            node.inputs.empty() ? std::nullopt : constant(node.inputs[0], constants);
        if (!turns) ++estimate.unknown_loops;
        Estimate turn = body(node, 0, constants);
        turn.ns += cost(Cost::repeat_turn);
        add(estimate, turn, std::max(turns.value_or(1), 0.0));
        return;
      }
      case Op::repeat_until:
      case Op::while_loop:
      case Op::forever:
        ++estimate.unknown_loops;
        add(estimate, body(node, 0, constants));
        estimate.ns += inputs(node) + cost(until ? Cost::until_turn : Cost::repeat_turn);
        return;
      case Op::call:
        call(node, constants, estimate);
        return;
      default:
        estimate.ns += cost(Cost::command);
        return;
    }
  }

  // Whether a way of a tuned procedure is the one that this machine never takes.
  bool is_other_form(const Node& node, std::size_t index) const {
    if (index >= node.bodies.size() || node.bodies[index].size() != 1) return false;
    const NodePtr& only = node.bodies[index][0];
    return only && only->op == Op::call && is_form(only->text, other_form_);
  }

  void choice(const Node& node, const Constants& constants, Estimate& estimate) {
    estimate.ns += cost(Cost::branch);
    if (is_other_form(node, 0)) return add(estimate, body(node, 1, constants));
    if (is_other_form(node, 1)) return add(estimate, body(node, 0, constants));
    const Estimate yes = body(node, 0, constants), no = body(node, 1, constants);
    if (const std::optional<bool> holds = condition(node, constants)) {
      return add(estimate, *holds ? yes : no);
    }
    ++estimate.choices;
    add(estimate, no.ns > yes.ns ? no : yes);
  }

  // What a choice by constants comes to: a > b.
  std::optional<bool> condition(const Node& choice, const Constants& constants) const {
    if (choice.inputs.empty() || !choice.inputs[0] || choice.inputs[0]->op != Op::greater) {
      return std::nullopt;
    }
    const auto& sides = choice.inputs[0]->inputs;
    if (sides.size() < 2) return std::nullopt;
    const auto a = constant(sides[0], constants), b = constant(sides[1], constants);
    return a && b ? std::optional(*a > *b) : std::nullopt;
  }

  std::optional<double> constant(const NodePtr& node, const Constants& constants) const {
    if (!node) return std::nullopt;
    if (is_literal(*node)) return js_parse_number(node->text);
    if (node->op == Op::add && node->inputs.size() == 2) {  // arguments as numbers: planes + 0
      const auto a = constant(node->inputs[0], constants), b = constant(node->inputs[1], constants);
      return a && b ? std::optional(*a + *b) : std::nullopt;
    }
    if (node->op != Op::argument || node->fields.empty()) return std::nullopt;
    const auto found = constants.find(node->fields[0]);
    if (found == constants.end()) return std::nullopt;
    return found->second;
  }

  void call(const Node& node, const Constants& constants, Estimate& estimate) {
    estimate.ns +=
        cost(Cost::call) + cost(Cost::argument) * static_cast<double>(node.inputs.size());
    const Procedure* called = find(node.text);
    if (called == nullptr || std::count(open_.begin(), open_.end(), called) != 0) {
      ++estimate.unknown_calls;
      return;
    }
    Constants passed;
    for (std::size_t i = 0; i < std::min(node.inputs.size(), called->parameters.size()); ++i) {
      const std::optional<double> value = constant(node.inputs[i], constants);
      if (value) passed[called->parameters[i].name] = *value;
    }
    add(estimate, procedure(*called, passed));
  }

  const Target& target_;
  std::span<const CostRow> costs_;
  std::string_view other_form_;
  std::vector<const Procedure*> open_;
};

}  // namespace

std::span<const CostRow> cost_rows(Machine machine) {
  if (machine == Machine::turbowarp) return kTurbowarp;
  return kScratch;
}

Estimate procedure_cost(const Target& target, std::string_view code, Machine machine) {
  Estimator estimator(target, machine);
  const Procedure* procedure = estimator.find(code);
  check(procedure != nullptr, "the cost of a procedure that does not exist");
  return estimator.procedure(*procedure, {});
}

}  // namespace sb3lm::scratch
