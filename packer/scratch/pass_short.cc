#include "scratch/pass_short.h"

#include <map>
#include <set>
#include <string>
#include <utility>

#include "scratch/fields.h"

namespace sb3lm::scratch {
namespace {

bool is_private(const std::string& name) {
  return name.starts_with('_');
}

// A reporter whose value is a number already: an argument, or what a private name holds.
bool is_plain(const Node& node) {
  if (node.op == Op::argument) return true;
  return (node.op == Op::variable || node.op == Op::list_item) && is_private(node.fields[0]);
}

bool is_cast(const Node& node) {
  return node.op == Op::add && node.inputs.size() == 2 && node.inputs[0] && node.inputs[1] &&
         node.inputs[1]->op == Op::literal_number && node.inputs[1]->text == "0" &&
         is_plain(*node.inputs[0]);
}

class Shortener {
 public:
  explicit Shortener(Program& program) : program_(program) {}

  void run() {
    for (const Target& target : program_.targets) {
      for (const Variable& variable : target.variables) taken_.insert(variable.name);
      for (const List& list : target.lists) taken_.insert(list.name);
    }
    for (Target& target : program_.targets) {
      for (Variable& variable : target.variables) rename(variable.name);
      for (List& list : target.lists) {
        if (list.size() == 0) rename(list.name);
      }
    }
    for (Target& target : program_.targets) {
      for (Procedure& procedure : target.procedures) drop_casts(procedure.body);
      for (Script& script : target.scripts) {
        drop_casts(script.hat);
        drop_casts(script.body);
      }
      for_each_field(target, [&](FieldKind kind, std::string& field) {
        if (kind != FieldKind::variable && kind != FieldKind::list) return;
        const auto found = names_.find(field);
        if (found != names_.end()) field = found->second;
      });
    }
  }

 private:
  void rename(std::string& name) {
    if (!is_private(name)) return;
    std::string made;
    do {
      made = "_" + std::to_string(++count_);
    } while (taken_.contains(made));
    names_[name] = made;
    name = std::move(made);
  }

  static void drop_casts(Stack& stack) {
    for (NodePtr& node : stack) drop_casts(node);
  }

  static void drop_casts(NodePtr& node) {
    if (!node) return;
    if (is_cast(*node)) node = std::move(node->inputs[0]);
    for (NodePtr& input : node->inputs) drop_casts(input);
    for (Stack& body : node->bodies) drop_casts(body);
  }

  Program& program_;
  std::set<std::string> taken_;
  std::map<std::string, std::string> names_;
  int count_ = 0;
};

}  // namespace

void shorten(Program& program) {
  Shortener(program).run();
}

}  // namespace sb3lm::scratch
