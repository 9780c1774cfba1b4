// What a running project changes: variables, lists, costumes, the answer and the clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "runtime_ref/scratch_math.h"
#include "scratch/ir.h"
#include "scratch/player_limits.h"

namespace sb3lm::eval {

/// A list that is an array of doubles for as long as it holds nothing but numbers.
class ItemList {
 public:
  ItemList() = default;
  explicit ItemList(const scratch::List& list);

  std::size_t size() const { return numeric_ ? numbers_.size() : values_.size(); }
  /// The item at `index` as a number: 0 for texts that are none and outside the list.
  double number(double index) const {
    const std::size_t at = number_to_index(index, size());
    if (at == 0) return 0;
    return numeric_ ? clean(numbers_[at - 1]) : to_number(values_[at - 1]);
  }
  /// The item at `at` (from 1), or "" if `at` is 0.
  Value value(std::size_t at) const;
  /// All items, if they are all numbers; else null.
  const double* numbers() const { return numeric_ ? numbers_.data() : nullptr; }

  void clear();
  void append(Value value);
  void replace(std::size_t at, Value value);
  void replace(std::size_t at, double number) {
    if (numeric_) {
      numbers_[at - 1] = number;
    } else {
      values_[at - 1].set(number);
    }
  }
  void insert(std::size_t at, Value value);
  void erase(std::size_t at);
  void pop() { numeric_ ? numbers_.pop_back() : values_.pop_back(); }

 private:
  void hold_values();

  bool numeric_ = true;
  std::vector<double> numbers_;
  std::vector<Value> values_;
};

/// A sprite or the stage, as far as blocks can see it.
struct Actor {
  std::string name;
  std::vector<std::string> costumes;
  std::size_t costume = 0;
  int layer = 0;  // the stage is 0
};

/// Real time, except that waiting costs none: skip_to moves the clock instead of sleeping.
class Clock {
 public:
  /// Seconds since this clock was made.
  double now() const {
    const std::chrono::duration<double> real = std::chrono::steady_clock::now() - start_;
    return real.count() + skipped_;
  }
  void skip_to(double time) {
    const double ahead = time - now();
    if (ahead > 0) skipped_ += ahead;
  }
  double days_since_2000() const;

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::chrono::system_clock::time_point start_date_ = std::chrono::system_clock::now();
  double skipped_ = 0;
};

struct World {
  explicit World(const scratch::Program& program);

  // Blocks point into these; their sizes never change.
  std::vector<Value> variables;
  std::vector<ItemList> lists;
  std::vector<Actor> actors;
  std::map<std::string, std::size_t, std::less<>> variable_names, list_names;

  Text answer;
  double mouse_x = 0, mouse_y = 0;
  bool mouse_down = false;
  Clock clock;
  double timer_start = 0;
  std::size_t list_limit = kMostListItems;  // `add` and `insert` go no further in scratch-vm
  std::mt19937_64 random{1};

  /// Null if there is none.
  Value* find_variable(std::string_view name);
  ItemList* find_list(std::string_view name);
  void switch_costume(Actor& actor, const Value& costume);
};

}  // namespace sb3lm::eval
