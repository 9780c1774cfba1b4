// Runs a Program read back from an .sb3 natively, with Scratch's exact semantics: casts,
// comparison, list indexing, rounding, threads and yields. The numbers are bit-identical to
// scratch-vm's and TurboWarp's.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "scratch/ir.h"

namespace sb3lm {

class BlockEvaluator {
 public:
  /// Compiles the program; throws bad_input on names that do not resolve.
  explicit BlockEvaluator(const scratch::Program& program);
  ~BlockEvaluator();
  BlockEvaluator(const BlockEvaluator&) = delete;
  BlockEvaluator& operator=(const BlockEvaluator&) = delete;

  /// Starts the hats; scripts run in step().
  void green_flag();
  void broadcast(std::string_view message);
  /// The red stop sign: ends all scripts. Hats still start scripts afterwards.
  void stop_all();

  /// What a person does. A key has Scratch's name ("space", "a"); a click on "Stage" is one beside
  /// all sprites. click throws Error(bug) if there is no such sprite.
  void press_key(std::string_view key);
  void click(std::string_view sprite);
  void move_mouse(double x, double y, bool down);

  /// Runs every thread once up to its next yield (one frame). False when no thread is left, or all
  /// that are left wait for the user (`ask`).
  bool step();
  /// Steps until `done` is true (checked after each step) or nothing is left to run; false on the
  /// latter, or after `max_steps`.
  bool run_until(const std::function<bool()>& done, std::size_t max_steps);

  /// Answers a waiting `ask`; false if nothing is being asked.
  bool answer(std::string_view text);
  std::string question() const;  // of the waiting `ask`, "" if none

  /// By name, wherever they live. Throw Error(bug) if there is no such name.
  scratch::Scalar variable(std::string_view name) const;
  double number(std::string_view name) const;     // cast as Scratch does
  std::string text(std::string_view name) const;  // cast as Scratch does
  void set_variable(std::string_view name, scratch::Scalar value);
  std::size_t list_size(std::string_view name) const;
  scratch::Scalar list_item(std::string_view name, std::size_t index) const;  // from 0
  std::vector<double> list_numbers(std::string_view name) const;
  void set_list(std::string_view name, const std::vector<scratch::Scalar>& items);

  /// A step that runs more instructions than this throws bad_input: an endless loop in a block
  /// that runs without screen refresh. Unlimited unless set.
  void limit_blocks(std::size_t per_step);
  /// Items that `add` fills a list up to: 200,000 unless set, as in scratch-vm. TurboWarp has no
  /// limit.
  void limit_lists(std::size_t items);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sb3lm
