// Backwards from each reading: what is live after a block, and therefore before it. A procedure is
// summed up by what it may read and what it may leave as it was, so that what one caller needs
// after a call does not count for the others.
//
// Scripts: one that is started again stops first, and two that end in the same endless procedure
// are heirs of each other, for at work together they would spoil each other's variables. All other
// scripts may run in between, because even a procedure without screen refresh gives way after half
// a second.
#include "scratch/liveness.h"

#include <cstdint>
#include <map>
#include <valarray>

#include "base/number_text.h"

namespace sb3lm::scratch {
namespace {

constexpr std::size_t kBits = 64;

// One bit for each variable of the sprite, or for each script.
using Set = std::valarray<std::uint64_t>;

Set none(std::size_t count) {
  return Set(std::uint64_t{0}, count / kBits + 1);
}

void insert(Set& set, std::size_t index) {
  set[index / kBits] |= std::uint64_t{1} << (index % kBits);
}

void remove(Set& set, std::size_t index) {
  set[index / kBits] &= ~(std::uint64_t{1} << (index % kBits));
}

bool contains(const Set& set, std::size_t index) {
  return (set[index / kBits] >> (index % kBits) & 1) != 0;
}

bool equal(const Set& a, const Set& b) {
  return (a == b).min();
}

// Adds `more`; whether that changed anything.
bool grow(Set& set, const Set& more) {
  const Set grown = set | more;
  if (equal(grown, set)) return false;
  set = grown;
  return true;
}

class Analysis {
 public:
  explicit Analysis(const Target& sprite)
      : sprite_(sprite),
        none_(none(sprite.variables.size())),
        kept_(none(sprite.variables.size())),
        clashes_(sprite.variables.size(), none_),
        users_(sprite.variables.size(), none(sprite.scripts.size())) {
    for (std::size_t i = 0; i < sprite.variables.size(); ++i) {
      variables_[sprite.variables[i].name] = i;
    }
    // Of two definitions the virtual machines call the first.
    for (const Procedure& procedure : sprite.procedures) {
      procedures_.try_emplace(procedure.code, Summary{procedure, none_, none_, none_});
    }
    sum_up_procedures();
    find_kept();
    find_clashes();
    find_users();
  }

  bool is_temporary(std::size_t variable) const {
    return !contains(kept_, variable) && are_exclusive(users_[variable], users_[variable]);
  }

  bool clash(std::size_t one, std::size_t other) const {
    return contains(clashes_[one], other) || contains(clashes_[other], one) ||
           !are_exclusive(users_[one], users_[other]);
  }

 private:
  struct Summary {
    const Procedure& procedure;
    Set reads;   // before it sets them, on some way
    Set leaves;  // may be as before at the end
    Set after;   // live after some call
  };
  struct Ends {
    Set stop;  // live after `stop this script`
    bool record = false;
  };

  static const Node* input(const Node& node, std::size_t index) {
    return index < node.inputs.size() ? node.inputs[index].get() : nullptr;
  }

  // The variable that a block names, if it is the sprite's own.
  const std::size_t* variable_of(const Node& node) const {
    const auto& specs = info(node.op).fields;
    if (specs.empty() || specs[0].kind != FieldKind::variable || node.fields.empty())
      return nullptr;
    const auto found = variables_.find(node.fields[0]);
    return found == variables_.end() ? nullptr : &found->second;
  }

  void add_readings(const Node& node, Set& live) const {
    if (const std::size_t* variable = variable_of(node)) insert(live, *variable);
    for (const NodePtr& one : node.inputs) {
      if (one) add_readings(*one, live);
    }
  }

  Set before(const Stack& stack, Set live, const Ends& ends) {
    for (auto block = stack.rbegin(); block != stack.rend(); ++block) {
      live = before(**block, std::move(live), ends);
    }
    return live;
  }

  Set before(const Node& node, Set live, const Ends& ends) {
    switch (node.op) {
      case Op::repeat:
      case Op::repeat_until:
      case Op::while_loop:
      case Op::forever:
        return before_loop(node, live, ends);
      case Op::if_then:
      case Op::if_else: {
        Set otherwise = node.bodies.size() > 1 ? before(node.bodies[1], live, ends) : live;
        live = before(node.bodies.at(0), std::move(live), ends) | otherwise;
        break;
      }
      case Op::stop:
        if (node.fields.at(0) == "this script") return ends.stop;
        if (node.fields.at(0) == "all") return none_;
        break;
      case Op::call:
        live = before_call(node, std::move(live), ends);
        break;
      case Op::set_variable:
      case Op::change_variable:
        if (const std::size_t* variable = variable_of(node)) {
          if (ends.record) grow(clashes_[*variable], live);
          remove(live, *variable);
          if (node.op == Op::set_variable) break;
        }
        [[fallthrough]];
      default:
        if (const std::size_t* variable = variable_of(node)) insert(live, *variable);
    }
    for (const NodePtr& one : node.inputs) {
      if (one) add_readings(*one, live);
    }
    return live;
  }

  // `live`: after the loop.
  Set before_loop(const Node& node, const Set& live, const Ends& ends) {
    Set times = none_, condition = none_;
    if (const Node* head = input(node, 0)) {
      add_readings(*head, node.op == Op::repeat ? times : condition);
    }
    Set turn_end = condition;
    if (node.op != Op::forever) turn_end |= live;
    Set turn_start = none_;
    do turn_start = before(node.bodies.at(0), turn_end, ends);
    while (grow(turn_end, turn_start));
    return times | (always_turns(node) ? turn_start : turn_end);
  }

  static bool always_turns(const Node& loop) {
    if (loop.op == Op::forever) return true;
    const Node* times = input(loop, 0);
    if (loop.op != Op::repeat || times == nullptr || times->op != Op::literal_number) return false;
    return js_parse_number(times->text).value_or(0) >= 1;
  }

  Set before_call(const Node& node, Set live, const Ends& ends) {
    const auto called = procedures_.find(node.text);
    if (called == procedures_.end()) return live;
    Summary& summary = called->second;
    if (ends.record) changed_ |= grow(summary.after, live);
    return summary.reads | (live & summary.leaves);
  }

  void sum_up_procedures() {
    do {
      changed_ = false;
      for (auto& [code, summary] : procedures_) {
        const Stack& body = summary.procedure.body;
        changed_ |= grow(summary.reads, before(body, none_, {none_}));
        changed_ |= grow(summary.leaves, before(body, ~none_, {~none_}));
      }
    } while (changed_);
  }

  // What a script may read although it has not set it: it stays, whatever runs meanwhile.
  void find_kept() {
    for (const Script& script : sprite_.scripts) {
      kept_ |= before(script.body, none_, {none_});
      if (script.hat) add_readings(*script.hat, kept_);  // at any time
    }
  }

  void find_clashes() {
    for (const Script& script : sprite_.scripts) before(script.body, kept_, {kept_, true});
    do {
      changed_ = false;
      for (auto& [code, summary] : procedures_) {
        before(summary.procedure.body, summary.after, {summary.after, true});
      }
    } while (changed_);
  }

  void find_users() {
    for (std::size_t i = 0; i < sprite_.scripts.size(); ++i) {
      std::map<std::string, bool> seen;
      Set endless = none(sprite_.procedures.size());
      use(sprite_.scripts[i].body, i, seen, endless);
      endless_.push_back(std::move(endless));
    }
  }

  void use(const Stack& stack, std::size_t script, std::map<std::string, bool>& seen,
           Set& endless) {
    for (const NodePtr& block : stack) use(*block, script, seen, endless);
  }

  void use(const Node& node, std::size_t script, std::map<std::string, bool>& seen, Set& endless) {
    if (const std::size_t* variable = variable_of(node)) {
      insert(users_[*variable], script);
      if (node.op == Op::show_variable) insert(kept_, *variable);
    }
    for (const NodePtr& one : node.inputs) {
      if (one) use(*one, script, seen, endless);
    }
    for (const Stack& body : node.bodies) use(body, script, seen, endless);
    const auto called = node.op == Op::call ? procedures_.find(node.text) : procedures_.end();
    if (called == procedures_.end() || !seen.try_emplace(node.text, true).second) return;
    const Procedure& procedure = called->second.procedure;
    if (is_endless(procedure)) {
      insert(endless, static_cast<std::size_t>(&procedure - sprite_.procedures.data()));
    }
    use(procedure.body, script, seen, endless);
  }

  static bool is_endless(const Procedure& procedure) {
    return !procedure.body.empty() && procedure.body.back()->op == Op::forever;
  }

  bool are_exclusive(const Set& some, const Set& others) const {
    for (std::size_t i = 0; i < endless_.size(); ++i) {
      if (!contains(some, i)) continue;
      for (std::size_t j = 0; j < endless_.size(); ++j) {
        if (i == j || !contains(others, j)) continue;
        if ((endless_[i] & endless_[j]).max() == 0) return false;
      }
    }
    return true;
  }

  const Target& sprite_;
  const Set none_;
  Set kept_;
  std::map<std::string, std::size_t> variables_;
  std::map<std::string, Summary> procedures_;
  std::vector<Set> clashes_;  // by variable
  std::vector<Set> users_;    // by variable: scripts
  std::vector<Set> endless_;  // by script: endless procedures that it reaches
  bool changed_ = false;
};

}  // namespace

Liveness::Liveness(const Target& sprite) {
  const Analysis analysis(sprite);
  const std::size_t count = sprite.variables.size();
  for (std::size_t i = 0; i < count; ++i) {
    temporary_.push_back(analysis.is_temporary(i));
    std::vector<bool>& row = clashes_.emplace_back();
    for (std::size_t j = 0; j < count; ++j) row.push_back(analysis.clash(i, j));
  }
}

}  // namespace sb3lm::scratch
