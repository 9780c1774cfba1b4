#include "runtime_ref/block_eval_world.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace sb3lm::eval {
namespace {

void name_once(std::map<std::string, std::size_t, std::less<>>& names, const std::string& name,
               std::size_t index, const char* kind) {
  if (!names.emplace(name, index).second) {
    fail(Fault::bad_input, "two {}s are called '{}'", kind, name);
  }
}

void go_to_costume(Actor& actor, double index) {
  const double count = static_cast<double>(actor.costumes.size());
  index = round_half_up(index);
  if (!std::isfinite(index)) index = 0;
  actor.costume = static_cast<std::size_t>(floored_mod(index, count));
}

}  // namespace

ItemList::ItemList(const scratch::List& list) {
  numeric_ = std::all_of(list.items.begin(), list.items.end(), [](const scratch::Scalar& item) {
    return std::holds_alternative<double>(item);
  });
  if (numeric_) {
    numbers_.reserve(list.size());
    for (const auto& item : list.items) numbers_.push_back(std::get<double>(item));
    numbers_.resize(list.size(), 0.0);
  } else {
    values_.reserve(list.size());
    for (const auto& item : list.items) values_.emplace_back(item);
    values_.resize(list.size());
  }
}

Value ItemList::value(std::size_t at) const {
  if (at == 0) return Value(Text());
  return numeric_ ? Value(numbers_[at - 1]) : values_[at - 1];
}

void ItemList::clear() {
  numeric_ = true;
  numbers_.clear();
  values_.clear();
}

void ItemList::append(Value value) {
  if (numeric_ && value.is_number()) {
    numbers_.push_back(value.number());
  } else {
    hold_values();
    values_.push_back(std::move(value));
  }
}

void ItemList::replace(std::size_t at, Value value) {
  if (value.is_number()) return replace(at, value.number());
  hold_values();
  values_[at - 1] = std::move(value);
}

void ItemList::insert(std::size_t at, Value value) {
  const auto offset = static_cast<std::ptrdiff_t>(at - 1);
  if (numeric_ && value.is_number()) {
    numbers_.insert(numbers_.begin() + offset, value.number());
  } else {
    hold_values();
    values_.insert(values_.begin() + offset, std::move(value));
  }
}

void ItemList::erase(std::size_t at) {
  const auto offset = static_cast<std::ptrdiff_t>(at - 1);
  if (numeric_) {
    numbers_.erase(numbers_.begin() + offset);
  } else {
    values_.erase(values_.begin() + offset);
  }
}

void ItemList::hold_values() {
  if (!numeric_) return;
  values_.reserve(numbers_.size() + 1);
  for (const double number : numbers_) values_.emplace_back(number);
  numbers_ = {};
  numeric_ = false;
}

double Clock::days_since_2000() const {
  // Scratch counts from local midnight; this counts from midnight UTC.
  constexpr double kSecondsBefore2000 = 946684800, kSecondsPerDay = 86400;
  const std::chrono::duration<double> date = start_date_.time_since_epoch();
  return (date.count() + now() - kSecondsBefore2000) / kSecondsPerDay;
}

World::World(const scratch::Program& program) {
  for (const auto& target : program.targets) {
    for (const auto& variable : target.variables) {
      name_once(variable_names, variable.name, variables.size(), "variable");
      variables.emplace_back(variable.value);
    }
    for (const auto& list : target.lists) {
      name_once(list_names, list.name, lists.size(), "list");
      lists.emplace_back(list);
    }
    Actor& actor = actors.emplace_back();
    actor.name = target.name;
    actor.layer = target.is_stage ? 0 : target.layer;
    for (const auto& costume : target.costumes) actor.costumes.push_back(costume.name);
    if (actor.costumes.empty()) actor.costumes.emplace_back("costume1");
    const std::size_t wanted = static_cast<std::size_t>(std::max(target.current_costume, 0));
    actor.costume = std::min(wanted, actor.costumes.size() - 1);
  }
}

Value* World::find_variable(std::string_view name) {
  const auto found = variable_names.find(name);
  return found == variable_names.end() ? nullptr : &variables[found->second];
}

ItemList* World::find_list(std::string_view name) {
  const auto found = list_names.find(name);
  return found == list_names.end() ? nullptr : &lists[found->second];
}

void World::switch_costume(Actor& actor, const Value& costume) {
  if (costume.is_number()) return go_to_costume(actor, costume.number() - 1);
  const Text name = to_text(costume);
  const auto found = std::find(actor.costumes.begin(), actor.costumes.end(), name.str());
  const auto current = static_cast<double>(actor.costume);
  if (found != actor.costumes.end()) {
    actor.costume = static_cast<std::size_t>(found - actor.costumes.begin());
  } else if (name.str() == "next costume") {
    go_to_costume(actor, current + 1);
  } else if (name.str() == "previous costume") {
    go_to_costume(actor, current - 1);
  } else if (costume.is_boolean()) {
    go_to_costume(actor, costume.boolean() - 1.0);
  } else if (text_is_number(name) && !is_blank(name)) {
    go_to_costume(actor, text_to_number(name) - 1);
  }
}

}  // namespace sb3lm::eval
