// How TurboWarp's compiler finds types (the one inside @turbowarp/packager 3.13.0, warp timer off),
// as far as indexes need it:
// - Each procedure is analysed by itself and starts without knowing any variable. Arguments and
//   items of lists are never known; arithmetic, lengths and numeric literals always are.
// - `set` gives a variable the type of its value, `change` makes it a number. After an `if` a
//   variable is known if both ways agree; inside and after a loop, if before it and after a turn.
// - A call leaves what the callee left in variables that it sets, and the others as they are; a
//   call of itself, directly or not, forgets all. So does everything that may wait: the loops of
//   scripts and procedures that run with screen refresh.
// - Arguments of calls are left out of the analysis: no variable is known there.
// - A procedure without screen refresh makes all that it calls run so, too.
#include "scratch/check_types.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>

#include "base/error.h"
#include "base/number_text.h"
#include "scratch/forms.h"
#include "scratch/print.h"

namespace sb3lm {
namespace {

using scratch::Node;
using scratch::Op;
using scratch::Procedure;
using scratch::Program;
using scratch::Stack;
using scratch::Target;

constexpr std::size_t kLongList = 1000;  // items; shorter public lists do not matter
constexpr int kMaxLoopDepth = 8;         // deeper loops know nothing, or time would double each
constexpr std::size_t kShownText = 60;

const Node* input(const Node& node, std::size_t index) {
  return index < node.inputs.size() ? node.inputs[index].get() : nullptr;
}

const std::string& field(const Node& node) {
  static const std::string kNone;
  return node.fields.empty() ? kNone : node.fields[0];
}

std::string shown(const Node& node) {
  std::string text = print_block(node);
  if (text.size() > kShownText) text = text.substr(0, kShownText) + "...";
  return text;
}

// --- what TurboWarp knows ---

// The variables that were set: true where the type is a number, false where it may be anything.
using Known = std::map<std::string, bool>;

void join_ways(Known& known, const Known& other) {
  for (auto& [name, number] : known) {
    const auto found = other.find(name);
    number = number && found != other.end() && found->second;
  }
  for (const auto& [name, number] : other) known.try_emplace(name, false);
}

class TypeRule {
 public:
  TypeRule(const Program& program, const std::set<std::string>& foreign) : foreign_(foreign) {
    for (const Target& target : program.targets) {
      for (const auto& list : target.lists) {
        if (list.name.starts_with('_') || list.size() > kLongList) hot_.insert(list.name);
      }
    }
  }

  void script(const Target& target, const scratch::Script& script) {
    Run run{target, target.name + ": " +
                        std::string(script.hat ? scratch::info(script.hat->op).name : "no hat")};
    Known known;
    stack(run, script.body, known);
  }

  std::set<std::string> faults;

 private:
  struct Run {
    const Target& target;
    std::string where;
    bool warp = false;
    bool waits = false;         // may come back to the player before it ends
    std::optional<Known> left;  // at a `stop this script`
    int loop_depth = 0;
  };
  struct End {
    std::optional<Known> known;  // none while it is being analysed
    bool waits = false;
  };

  bool is_number(const Node& node, const Known& known) const {
    if (node.op == Op::variable) {
      const auto found = known.find(field(node));
      return found != known.end() && found->second;
    }
    if (node.op == Op::literal_number) return js_parse_number(node.text).has_value();
    return scratch::info(node.op).result == scratch::Result::number;
  }

  void reporters(const Run& run, const Node& node, const Known& known) {
    for (const auto& one : node.inputs) {
      if (one) reporters(run, *one, known);
    }
    if (node.op != Op::list_item && node.op != Op::list_replace) return;
    const Node* index = input(node, 0);
    if (index == nullptr || is_number(*index, known) || !hot_.contains(field(node))) return;
    if (foreign_.contains(run.target.name)) return;
    faults.insert(fmt::format("{}: {} '{}': TurboWarp does not know that the index {} is a number",
                              run.where, node.op == Op::list_item ? "item of" : "replace item of",
                              field(node), shown(*index)));
  }

  void stack(Run& run, const Stack& blocks, Known& known) {
    for (const auto& block : blocks) {
      if (block) command(run, *block, known);
    }
  }

  void body(Run& run, const Node& node, std::size_t index, Known& known) {
    if (index < node.bodies.size()) stack(run, node.bodies[index], known);
  }

  void command(Run& run, const Node& node, Known& known) {
    switch (node.op) {
      case Op::repeat:
      case Op::repeat_until:
      case Op::while_loop:
      case Op::forever:
        loop(run, node, known);
        return;
      case Op::wait_until:
        known.clear();
        break;
      default:
        break;
    }
    reporters(run, node, node.op == Op::call ? Known() : known);
    switch (node.op) {
      case Op::set_variable:
        known[field(node)] = input(node, 0) != nullptr && is_number(*input(node, 0), known);
        return;
      case Op::change_variable:
        known[field(node)] = true;
        return;
      case Op::if_then:
      case Op::if_else: {
        Known otherwise = known;
        body(run, node, 0, known);
        body(run, node, 1, otherwise);
        join_ways(known, otherwise);
        return;
      }
      case Op::call:
        call(run, node, known);
        return;
      case Op::stop:
        if (field(node) == "this script") leave(run, known);
        return;
      default:
        break;
    }
    if (!may_wait(node.op)) return;
    run.waits = true;
    known.clear();
  }

  // Blocks of lists, variables and messages never wait; of the others some do, and none are hot.
  static bool may_wait(Op op) {
    const std::string_view opcode = scratch::info(op).opcode;
    return op != Op::broadcast && !opcode.starts_with("data_");
  }

  static void leave(Run& run, const Known& known) {
    if (run.left) {
      join_ways(*run.left, known);
    } else {
      run.left = known;
    }
  }

  void loop(Run& run, const Node& node, Known& known) {
    ++run.loop_depth;
    reporters(run, node, known);
    const bool waits = !run.warp;
    if (waits || run.loop_depth > kMaxLoopDepth) {
      known.clear();
      if (node.op != Op::repeat) reporters(run, node, known);
      body(run, node, 0, known);
      known.clear();
      run.waits = run.waits || waits;
    } else {
      Known before;
      do {
        before = known;
        Known turn = known;
        body(run, node, 0, turn);
        join_ways(known, turn);
        if (node.op != Op::repeat) reporters(run, node, known);
      } while (known != before);
    }
    --run.loop_depth;
  }

  void call(Run& run, const Node& node, Known& known) {
    const bool in_warp = run.warp;
    if (is_form(node.text, "interpreted")) return;
    const auto& procedures = run.target.procedures;
    const auto called = std::find_if(procedures.begin(), procedures.end(),
                                     [&](const Procedure& one) { return one.code == node.text; });
    if (called == procedures.end()) return;
    const End end = procedure(run.target, *called, in_warp || called->warp);
    if (!end.known || end.waits) known.clear();
    if (end.known) {
      for (const auto& [name, number] : *end.known) known[name] = number;
    }
    run.waits = run.waits || end.waits;
  }

  const End& procedure(const Target& target, const Procedure& procedure, bool warp) {
    const auto [found, fresh] = ends_.try_emplace({&procedure, warp});
    if (!fresh) return found->second;
    Run run{target, target.name + ": define " + procedure.code, warp};
    Known known;
    stack(run, procedure.body, known);
    leave(run, known);
    found->second = {std::move(run.left), run.waits};
    return found->second;
  }

  const std::set<std::string>& foreign_;
  std::set<std::string> hot_;
  std::map<std::pair<const Procedure*, bool>, End> ends_;
};

// --- shapes ---

using See = std::function<void(const std::string& where, const Node& node)>;

void visit(const std::string& where, const Node& node, const See& see) {
  see(where, node);
  for (const auto& one : node.inputs) {
    if (one) visit(where, *one, see);
  }
  for (const Stack& body : node.bodies) {
    for (const auto& block : body) {
      if (block) visit(where, *block, see);
    }
  }
}

void visit(const Program& program, const std::set<std::string>& foreign, const See& see) {
  const auto all = [&](const std::string& where, const Stack& stack) {
    for (const auto& block : stack) {
      if (block) visit(where, *block, see);
    }
  };
  for (const Target& target : program.targets) {
    if (foreign.contains(target.name)) continue;
    for (const auto& procedure : target.procedures) {
      all(target.name + ": define " + procedure.code, procedure.body);
    }
    for (const auto& script : target.scripts) all(target.name, script.body);
  }
}

// The value that a block puts into a list, or null.
const Node* stored_value(const Node& node) {
  if (node.op == Op::list_add || node.op == Op::list_insert) return input(node, 0);
  return node.op == Op::list_replace ? input(node, 1) : nullptr;
}

bool same(const Node& a, const Node& b) {
  if (a.op != b.op || a.text != b.text || a.fields != b.fields) return false;
  return std::equal(a.inputs.begin(), a.inputs.end(), b.inputs.begin(), b.inputs.end(),
                    [](const auto& x, const auto& y) { return x && y && same(*x, *y); });
}

bool holds(const Node& node, const std::function<bool(const Node&)>& wanted) {
  if (wanted(node)) return true;
  return std::any_of(node.inputs.begin(), node.inputs.end(),
                     [&](const auto& one) { return one && holds(*one, wanted); });
}

bool is_loop(const Node& node) {
  return node.op == Op::repeat || node.op == Op::repeat_until || node.op == Op::while_loop;
}

// What a loop's body sets; `all` if it calls procedures, which may set anything.
struct Changed {
  std::set<std::string> variables;
  bool all = false;
};

Changed changed_by(const Stack& body) {
  Changed changed;
  for (const auto& block : body) {
    if (!block) continue;
    visit("", *block, [&](const std::string&, const Node& node) {
      const bool sets = node.op == Op::set_variable || node.op == Op::change_variable;
      if (sets) changed.variables.insert(field(node));
      if (node.op == Op::call) changed.all = true;
    });
  }
  return changed;
}

}  // namespace

std::vector<std::string> unknown_indexes(const Program& program,
                                         const std::set<std::string>& foreign) {
  TypeRule rule(program, foreign);
  for (const Target& target : program.targets) {
    for (const auto& script : target.scripts) rule.script(target, script);
  }
  return {rule.faults.begin(), rule.faults.end()};
}

std::vector<std::string> texts_among_numbers(const Program& program,
                                             const std::set<std::string>& foreign) {
  std::vector<std::string> faults;
  std::set<std::string> numbers;
  for (const Target& target : program.targets) {
    for (const auto& list : target.lists) {
      const auto texts = std::count_if(list.items.begin(), list.items.end(), [](const auto& item) {
        return std::holds_alternative<std::string>(item);
      });
      if (!list.name.starts_with('_') || list.size() == static_cast<std::size_t>(texts)) continue;
      numbers.insert(list.name);
      if (texts != 0 && !foreign.contains(target.name)) {
        faults.push_back(fmt::format("{}: {} of the items of '{}' are texts, the others numbers",
                                     target.name, texts, list.name));
      }
    }
  }
  const auto is_literal = [](const Node* node) {
    return node != nullptr && (node->op == Op::literal_number || node->op == Op::literal_text);
  };
  visit(program, foreign, [&](const std::string&, const Node& node) {
    const Node* value = stored_value(node);
    const bool number = value && scratch::info(value->op).result == scratch::Result::number;
    if (number && !is_literal(value) && field(node).starts_with('_')) numbers.insert(field(node));
  });
  visit(program, foreign, [&](const std::string& where, const Node& node) {
    const Node* value = stored_value(node);
    if (!is_literal(value) || !numbers.contains(field(node))) return;
    faults.push_back(fmt::format("{}: {} would be stored as text in '{}', which holds numbers",
                                 where, shown(*value), field(node)));
  });
  return faults;
}

std::vector<std::string> sums_in_items(const Program& program,
                                       const std::set<std::string>& foreign) {
  std::vector<std::string> faults;
  visit(program, foreign, [&](const std::string& where, const Node& loop) {
    if (!is_loop(loop) || loop.bodies.empty()) return;
    const Changed changed = changed_by(loop.bodies[0]);
    if (changed.all) return;
    for (const auto& block : loop.bodies[0]) {
      if (!block || block->op != Op::list_replace) continue;
      const Node *index = input(*block, 0), *value = input(*block, 1);
      if (index == nullptr || value == nullptr) continue;
      const bool moves = holds(*index, [&](const Node& node) {
        return node.op == Op::list_item || changed.variables.contains(field(node));
      });
      const bool adds = holds(*value, [&](const Node& node) {
        return node.op == Op::list_item && field(node) == field(*block) && input(node, 0) &&
               same(*input(node, 0), *index);
      });
      if (moves || !adds) continue;
      faults.push_back(fmt::format("{}: item {} of '{}' is a loop's running sum; use a variable",
                                   where, shown(*index), field(*block)));
    }
  });
  return faults;
}

}  // namespace sb3lm
