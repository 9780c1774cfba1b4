// Each rule is a function over the whole program, listed in one table at the end; the limits carry
// their reasons.
#include "scratch/check.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>

#include "base/error.h"
#include "base/number_text.h"
#include "scratch/check_types.h"
#include "scratch/placeholders.h"
#include "scratch/player_limits.h"

namespace sb3lm {
namespace {

using scratch::BlockShape;
using scratch::FieldKind;
using scratch::InputKind;
using scratch::List;
using scratch::Node;
using scratch::Op;
using scratch::Procedure;
using scratch::Program;
using scratch::Stack;
using scratch::Target;

constexpr int kMaxNesting = 250;  // smaller stacks than the browsers measured
constexpr int kMaxChain = 400;    // left-deep; compiling one that is too deep fails at 1500
constexpr std::size_t kMaxStack = 1000;
constexpr std::size_t kShownFaults = 20;

// One procedure or script.
struct Body {
  const Target* target;
  const Procedure* procedure;  // null in a script
  const Stack* stack;
  const Node* hat;
  std::string where;
};

class Checker {
 public:
  Checker(const Program& program, const CheckOptions& options)
      : program(program), options(options) {
    for (const Target& target : program.targets) {
      for (const auto& variable : target.variables) variables.insert(variable.name);
      for (const auto& list : target.lists) lists[list.name] = &list;
      for (const auto& procedure : target.procedures) {
        bodies.push_back({&target, &procedure, &procedure.body, nullptr,
                          target.name + ": define " + procedure.code});
      }
      for (const auto& script : target.scripts) {
        const Node* hat = script.hat.get();
        const std::string name(hat ? scratch::info(hat->op).name : "no hat");
        bodies.push_back({&target, nullptr, &script.body, hat, target.name + ": " + name});
      }
    }
  }

  template <class... Args>
  void fault(const std::string& where, fmt::format_string<Args...> format, Args&&... args) {
    faults.push_back(where + ": " + fmt::format(format, std::forward<Args>(args)...));
  }

  bool is_ours(const Target& target) const { return options.foreign.count(target.name) == 0; }

  const Program& program;
  const CheckOptions& options;
  std::vector<Body> bodies;
  std::set<std::string> variables;
  std::map<std::string, const List*> lists;
  std::vector<std::string> faults;
};

using Visit = std::function<void(const Node&)>;

void visit(const Node& node, const Visit& see) {
  see(node);
  for (const auto& input : node.inputs) {
    if (input) visit(*input, see);
  }
  for (const Stack& body : node.bodies) {
    for (const auto& block : body) {
      if (block) visit(*block, see);
    }
  }
}

void visit(const Body& body, const Visit& see) {
  if (body.hat != nullptr) visit(*body.hat, see);
  for (const auto& block : *body.stack) {
    if (block) visit(*block, see);
  }
}

bool is_literal(const Node& node) {
  return node.op == Op::literal_number || node.op == Op::literal_text;
}
bool is_condition(const Node& node) {
  return scratch::info(node.op).shape == BlockShape::condition;
}
bool is_value(const Node& node) {
  const BlockShape shape = scratch::info(node.op).shape;
  return is_literal(node) || shape == BlockShape::value || shape == BlockShape::condition;
}
bool is_command(const Node& node) {
  const BlockShape shape = scratch::info(node.op).shape;
  return shape == BlockShape::stack || shape == BlockShape::c_block || shape == BlockShape::end;
}

const Procedure* find_procedure(const Target& target, const std::string& code) {
  for (const auto& procedure : target.procedures) {
    if (procedure.code == code) return &procedure;
  }
  return nullptr;
}

// --- the rules ---

void names_are_unique(Checker& check) {
  std::set<std::string> seen_variables, seen_lists;
  for (const Target& target : check.program.targets) {
    for (const auto& variable : target.variables) {
      if (!seen_variables.insert(variable.name).second) {
        check.fault(target.name, "variable '{}' exists twice", variable.name);
      }
    }
    for (const auto& list : target.lists) {
      if (!seen_lists.insert(list.name).second) {
        check.fault(target.name, "list '{}' exists twice", list.name);
      }
    }
    std::set<std::string> codes;
    for (const auto& procedure : target.procedures) {
      if (!codes.insert(procedure.code).second) {
        check.fault(target.name, "block '{}' is defined twice", procedure.code);
      }
    }
  }
}

void field_resolves(Checker& check, const Body& body, const Node& node, FieldKind kind,
                    const std::string& name) {
  const auto& broadcasts = check.program.broadcasts;
  const bool known = kind == FieldKind::variable ? check.variables.count(name) != 0
                     : kind == FieldKind::list   ? check.lists.count(name) != 0
                     : kind == FieldKind::message
                         ? std::count(broadcasts.begin(), broadcasts.end(), name) != 0
                         : true;
  if (!known) check.fault(body.where, "{}: '{}' is unknown", scratch::info(node.op).name, name);
}

void argument_resolves(Checker& check, const Body& body, const Node& node) {
  if (node.fields.size() != 1) return;
  if (body.procedure != nullptr) {
    for (const auto& parameter : body.procedure->parameters) {
      if (parameter.name == node.fields[0]) return;
    }
  }
  check.fault(body.where, "argument '{}' is unknown", node.fields[0]);
}

void names_resolve(Checker& check) {
  for (const Body& body : check.bodies) {
    visit(body, [&](const Node& node) {
      const auto& specs = scratch::info(node.op).fields;
      for (std::size_t i = 0; i < std::min(specs.size(), node.fields.size()); ++i) {
        field_resolves(check, body, node, specs[i].kind, node.fields[i]);
      }
      if (node.op == Op::argument || node.op == Op::argument_boolean) {
        argument_resolves(check, body, node);
      }
      const bool sends = node.op == Op::broadcast || node.op == Op::broadcast_wait;
      if (sends && !node.inputs.empty() && node.inputs[0] && is_literal(*node.inputs[0])) {
        field_resolves(check, body, node, FieldKind::message, node.inputs[0]->text);
      }
      if (node.op == Op::call && find_procedure(*body.target, node.text) == nullptr) {
        check.fault(body.where, "block '{}' is not defined", node.text);
      }
    });
  }
}

// Inputs that hold values, in order; true where a condition is wanted.
std::vector<bool> wanted_inputs(const Node& node) {
  std::vector<bool> wanted;
  if (node.op == Op::call) {
    for (const Placeholder place : placeholders(node.text)) {
      wanted.push_back(place == Placeholder::boolean);
    }
    return wanted;
  }
  for (const auto& spec : scratch::info(node.op).inputs) {
    if (spec.kind != InputKind::body) wanted.push_back(spec.kind == InputKind::boolean);
  }
  return wanted;
}

void blocks_fit_their_rows(Checker& check) {
  for (const Body& body : check.bodies) {
    visit(body, [&](const Node& node) {
      const auto& row = scratch::info(node.op);
      const std::vector<bool> wanted = wanted_inputs(node);
      const auto is_body = [](const auto& spec) { return spec.kind == InputKind::body; };
      const auto bodies = std::count_if(row.inputs.begin(), row.inputs.end(), is_body);
      if (node.inputs.size() != wanted.size()) {
        check.fault(body.where, "{} with {} inputs instead of {}", row.name, node.inputs.size(),
                    wanted.size());
      }
      if (node.fields.size() != row.fields.size() ||
          node.bodies.size() > static_cast<std::size_t>(bodies)) {
        check.fault(body.where, "{} with the wrong fields or bodies", row.name);
      }
      for (std::size_t i = 0; i < std::min(wanted.size(), node.inputs.size()); ++i) {
        const Node* input = node.inputs[i].get();
        if (input == nullptr) continue;
        const std::string_view name = scratch::info(input->op).name;
        if (!is_value(*input)) check.fault(body.where, "{} inside {}", name, row.name);
        if (wanted[i] && !is_condition(*input)) {
          check.fault(body.where, "{} is the condition of {}", name, row.name);
        }
      }
    });
  }
}

void procedures_have_their_parameters(Checker& check) {
  for (const Body& body : check.bodies) {
    if (body.procedure == nullptr) continue;
    std::vector<Placeholder> declared;
    for (const auto& parameter : body.procedure->parameters) {
      declared.push_back(parameter.is_boolean ? Placeholder::boolean : Placeholder::text);
    }
    if (placeholders(body.procedure->code) != declared) {
      check.fault(body.where, "its parameters do not match its code");
    }
  }
}

void stack_is_sound(Checker& check, const Body& body, const Stack& stack) {
  if (stack.size() >= kMaxStack) {
    check.fault(body.where, "a stack of {} blocks; under {} is safe", stack.size(), kMaxStack);
  }
  for (std::size_t i = 0; i < stack.size(); ++i) {
    if (stack[i] == nullptr || !is_command(*stack[i])) {
      check.fault(body.where, "something else than a command in a stack");
      continue;
    }
    const Node& node = *stack[i];
    const bool goes_on =
        node.op == Op::stop && !node.fields.empty() && node.fields[0].starts_with("other scripts");
    const bool last = node.op == Op::forever || (node.op == Op::stop && !goes_on);
    if (last && i + 1 < stack.size()) {
      check.fault(body.where, "blocks under {}", scratch::info(node.op).name);
    }
    for (const Stack& inner : node.bodies) stack_is_sound(check, body, inner);
  }
}

void stacks_are_sound(Checker& check) {
  for (const Body& body : check.bodies) {
    if (body.hat != nullptr && scratch::info(body.hat->op).shape != BlockShape::hat) {
      check.fault(body.where, "a script without a hat");
    }
    stack_is_sound(check, body, *body.stack);
  }
}

bool is_exact(const Node& node) {
  if (node.op == Op::random) return false;
  if (node.op != Op::math || node.fields.empty()) return true;
  static const std::set<std::string> kExact = {"abs", "floor", "ceiling", "sqrt"};
  return kExact.count(node.fields[0]) != 0;
}

void arithmetic_is_exact(Checker& check) {
  for (const Body& body : check.bodies) {
    if (!check.is_ours(*body.target)) continue;
    visit(body, [&](const Node& node) {
      if (is_exact(node)) return;
      check.fault(body.where, "'{}' is not the same in every browser",
                  node.op == Op::math ? node.fields[0] : "pick random");
    });
  }
}

// How deep reporters nest below `node`, a left-deep chain of one operator counting as one level.
int nesting(const Node& node, int& longest_chain) {
  int deepest = 0, chain = 1;
  const Node* at = &node;
  while (true) {
    for (std::size_t i = 1; i < at->inputs.size(); ++i) {
      if (at->inputs[i]) deepest = std::max(deepest, nesting(*at->inputs[i], longest_chain));
    }
    const Node* left = at->inputs.empty() ? nullptr : at->inputs[0].get();
    if (left == nullptr) break;
    if (scratch::info(left->op).inputs.size() != 2 || left->op != at->op) {
      deepest = std::max(deepest, nesting(*left, longest_chain));
      break;
    }
    ++chain;
    at = left;
  }
  longest_chain = std::max(longest_chain, chain);
  return deepest + 1;
}

void nesting_is_bounded(Checker& check) {
  for (const Body& body : check.bodies) {
    visit(body, [&](const Node& node) {
      if (!is_command(node)) return;
      int chain = 0;
      const int depth = nesting(node, chain);
      if (depth > kMaxNesting) {
        check.fault(body.where, "reporters nest {} deep; {} is safe", depth, kMaxNesting);
      }
      if (chain > kMaxChain) {
        check.fault(body.where, "a chain of {} terms; {} is safe", chain, kMaxChain);
      }
    });
  }
}

std::set<std::string> growing_lists(const Checker& check) {
  std::set<std::string> growing;
  for (const Body& body : check.bodies) {
    visit(body, [&](const Node& node) {
      const bool grows = node.op == Op::list_add || node.op == Op::list_insert;
      if (grows && !node.fields.empty()) growing.insert(node.fields[0]);
    });
  }
  return growing;
}

void full_lists_are_not_added_to(Checker& check) {
  for (const std::string& name : growing_lists(check)) {
    const auto list = check.lists.find(name);
    if (list == check.lists.end() || list->second->size() < kMostListItems) continue;
    check.fault(name, "has {} items, and scratch-vm ignores `add` from {} on", list->second->size(),
                kMostListItems);
  }
}

void constant_indexes_exist(Checker& check) {
  const std::set<std::string> growing = growing_lists(check);
  for (const Body& body : check.bodies) {
    visit(body, [&](const Node& node) {
      if (node.op != Op::list_item && node.op != Op::list_replace) return;
      if (node.inputs.empty() || node.inputs[0] == nullptr || node.fields.empty()) return;
      if (node.inputs[0]->op != Op::literal_number) return;
      const auto list = check.lists.find(node.fields[0]);
      // An empty list is filled from outside.
      if (list == check.lists.end() || list->second->size() == 0) return;
      const std::optional<double> index = js_parse_number(node.inputs[0]->text);
      const auto size = static_cast<double>(list->second->size());
      const bool too_far = index && *index >= size + 1 && growing.count(node.fields[0]) == 0;
      if (!index || *index < 1 || too_far) {
        check.fault(body.where, "item {} of '{}', which has {}", node.inputs[0]->text,
                    node.fields[0], size);
      }
    });
  }
}

void procedures_are_reached(Checker& check) {
  std::set<const Procedure*> reached;
  std::vector<const Body*> open;
  for (const Body& body : check.bodies) {
    if (body.procedure == nullptr) open.push_back(&body);
  }
  while (!open.empty()) {
    const Body& body = *open.back();
    open.pop_back();
    visit(body, [&](const Node& node) {
      if (node.op != Op::call) return;
      const Procedure* called = find_procedure(*body.target, node.text);
      if (called == nullptr || !reached.insert(called).second) return;
      for (const Body& other : check.bodies) {
        if (other.procedure == called) open.push_back(&other);
      }
    });
  }
  for (const Body& body : check.bodies) {
    if (body.procedure == nullptr || !check.is_ours(*body.target)) continue;
    if (reached.count(body.procedure) == 0) check.fault(body.where, "is never called");
  }
}

// Public names may be for others; private ones start with '_'.
void private_names_are_used(Checker& check) {
  std::set<std::string> used;
  for (const Body& body : check.bodies) {
    visit(body, [&](const Node& node) { used.insert(node.fields.begin(), node.fields.end()); });
  }
  for (const auto& monitor : check.program.monitors) used.insert(monitor.name);
  const auto see = [&](const Target& target, const std::string& name) {
    if (name.starts_with('_') && used.count(name) == 0) {
      check.fault(target.name, "'{}' is never used", name);
    }
  };
  for (const Target& target : check.program.targets) {
    if (!check.is_ours(target)) continue;
    for (const auto& variable : target.variables) see(target, variable.name);
    for (const auto& list : target.lists) see(target, list.name);
  }
}

bool holds_item(const Node& node) {
  if (node.op == Op::list_item) return true;
  return std::any_of(node.inputs.begin(), node.inputs.end(),
                     [](const auto& input) { return input && holds_item(*input); });
}

void procedures_stay_compilable(Checker& check) {
  for (const Body& body : check.bodies) {
    int lookups = 0;
    visit(body, [&](const Node& node) {
      if (node.op != Op::list_item || node.inputs.empty() || node.inputs[0] == nullptr) return;
      if (holds_item(*node.inputs[0])) ++lookups;
    });
    if (lookups > kMaxLookups) {
      check.fault(body.where, "{} table lookups; over {} TurboWarp's code is not optimised",
                  lookups, kMaxLookups);
    }
  }
}

void types_are_known(Checker& check) {
  using Rule = std::vector<std::string> (*)(const Program&, const std::set<std::string>&);
  std::vector<Rule> rules = {texts_among_numbers, sums_in_items};
  if (check.options.compiled) rules.push_back(unknown_indexes);
  for (const Rule rule : rules) {
    for (std::string& text : rule(check.program, check.options.foreign)) {
      check.faults.push_back(std::move(text));
    }
  }
}

constexpr void (*kRules[])(Checker&) = {
    names_are_unique,       names_resolve,
    blocks_fit_their_rows,  procedures_have_their_parameters,
    stacks_are_sound,       arithmetic_is_exact,
    nesting_is_bounded,     full_lists_are_not_added_to,
    constant_indexes_exist, procedures_are_reached,
    private_names_are_used, procedures_stay_compilable,
    types_are_known,
};

}  // namespace

std::vector<std::string> check_program(const Program& program, const CheckOptions& options) {
  Checker checker(program, options);
  for (const auto rule : kRules) rule(checker);
  return std::move(checker.faults);
}

void require_valid(const Program& program, const CheckOptions& options) {
  const std::vector<std::string> faults = check_program(program, options);
  if (faults.empty()) return;
  std::string text = fmt::format("the generated program breaks {} rules:", faults.size());
  for (std::size_t i = 0; i < std::min(faults.size(), kShownFaults); ++i)
    text += "\n  " + faults[i];
  throw Error(Fault::bug, text);
}

}  // namespace sb3lm
