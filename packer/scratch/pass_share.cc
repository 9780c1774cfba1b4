// Variables are put into groups one after the other, each into the first group where it fits. Where
// many end in the same word, as `at` or `sum`, they share among themselves, so that the name still
// says something; all others share what is called a number or a text.
#include "scratch/pass_share.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "scratch/fields.h"
#include "scratch/liveness.h"

namespace sb3lm::scratch {
namespace {

using Names = std::set<std::string>;
using Group = std::vector<std::size_t>;  // variables of a sprite

constexpr std::size_t kUsual = 4;  // so many variables are worth a group with a telling name

// What a variable is for: the last word of its name. Numbers say nothing.
std::string role_of(const std::string& name) {
  std::string role = name.substr(name.find_last_of(" _") + 1);
  if (role.find_first_not_of("0123456789") == std::string::npos) role.clear();
  return role;
}

class Sharing {
 public:
  Sharing(Target& sprite, const Names& shown, Names& taken)
      : sprite_(sprite), liveness_(sprite), taken_(taken) {
    std::map<std::string, Group> roles;
    for (std::size_t i = 0; i < sprite.variables.size(); ++i) {
      const std::string& name = sprite.variables[i].name;
      if (!name.starts_with('_') || shown.contains(name) || !liveness_.is_temporary(i)) continue;
      roles[role_of(name)].push_back(i);
    }
    Group others;
    for (const auto& [role, variables] : roles) {
      for (Group& group : grouped(variables)) {
        if (role.empty() || group.size() < kUsual) {
          others.insert(others.end(), group.begin(), group.end());
        } else {
          groups_.emplace_back(role, std::move(group));
        }
      }
    }
    std::sort(others.begin(), others.end());
    for (Group& group : grouped(others)) {
      const bool number = std::holds_alternative<double>(variable(group.front()).value);
      if (group.size() > 1) groups_.emplace_back(number ? "number" : "text", std::move(group));
    }
  }

  void run() {
    for (const auto& [role, group] : groups_) {
      for (const std::size_t one : group) taken_.erase(variable(one).name);
    }
    for (const auto& [role, group] : groups_) {
      const std::string name = new_name("_" + role);
      for (const std::size_t one : group) names_[std::exchange(variable(one).name, "")] = name;
      variable(group.front()).name = name;
    }
    std::erase_if(sprite_.variables, [](const Variable& one) { return one.name.empty(); });
    for_each_field(sprite_, [&](FieldKind kind, std::string& field) {
      const auto found = names_.find(field);
      if (kind == FieldKind::variable && found != names_.end()) field = found->second;
    });
  }

 private:
  Variable& variable(std::size_t index) { return sprite_.variables[index]; }

  std::vector<Group> grouped(const Group& variables) {
    std::vector<Group> groups;
    for (const std::size_t one : variables) {
      const auto fits = [&](const Group& group) {
        return std::all_of(group.begin(), group.end(), [&](std::size_t other) {
          return !liveness_.clash(one, other) &&
                 variable(one).value.index() == variable(other).value.index();
        });
      };
      const auto group = std::find_if(groups.begin(), groups.end(), fits);
      group == groups.end() ? groups.push_back({one}) : group->push_back(one);
    }
    return groups;
  }

  // The wanted name, with a number behind if somebody has it.
  std::string new_name(const std::string& wanted) {
    std::string name = wanted;
    for (int number = 2; !taken_.insert(name).second; ++number) {
      name = wanted + " " + std::to_string(number);
    }
    return name;
  }

  Target& sprite_;
  Liveness liveness_;
  Names& taken_;
  std::vector<std::pair<std::string, Group>> groups_;
  std::map<std::string, std::string> names_;
};

}  // namespace

void share_variables(Program& program) {
  Names shown, taken;
  for (const Monitor& monitor : program.monitors) shown.insert(monitor.name);
  for (Target& target : program.targets) {
    for (const Variable& variable : target.variables) taken.insert(variable.name);
    for (const List& list : target.lists) taken.insert(list.name);
  }
  for (Target& target : program.targets) {
    if (!target.is_stage) Sharing(target, shown, taken).run();
  }
}

}  // namespace sb3lm::scratch
