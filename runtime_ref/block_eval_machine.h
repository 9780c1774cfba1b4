// Runs compiled scripts as threads, in scratch-vm's order and with its yields.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime_ref/block_eval_code.h"

namespace sb3lm::eval {

struct Thread;
using ThreadPtr = std::shared_ptr<Thread>;

// A procedure call in progress.
struct Frame {
  Place back;  // where the caller goes on
  std::size_t procedure;
  std::size_t arguments, loops;  // heights of the thread's stacks at the call
  bool caller_warps;
};

struct Thread {
  const CompiledScript* script = nullptr;
  Place at = 0;
  bool done = false;
  bool warp = false;
  std::vector<Frame> frames;
  std::vector<Value> arguments;
  std::vector<double> loops;

  // What the instruction at `at` waits for, if it has begun to.
  enum class Wait { none, time, answer, threads } wait = Wait::none;
  double wake = 0;
  std::vector<ThreadPtr> awaited;
};

class Machine {
 public:
  explicit Machine(const scratch::Program& program);

  void green_flag();
  /// The red stop sign: ends all scripts and questions.
  void stop_all();
  void broadcast(const std::string& message);
  void press_key(const std::string& key);
  /// Of the stage or a sprite; false if there is none of that name.
  bool click(std::string_view actor);
  /// One pass over all threads. False when nothing is left, or all of it waits for an answer.
  bool step();
  bool answer(std::string_view text);
  std::string question() const;

  World& world() { return world_; }
  const World& world() const { return world_; }
  void limit_blocks(std::size_t per_step) { blocks_per_step_ = per_step; }

 private:
  struct Question {
    ThreadPtr thread;
    std::string text;
  };

  void run(const ThreadPtr& thread);
  // Each returns true if the thread goes on, false if it yields or is done.
  bool wait_seconds(Thread& thread, const Instruction& instruction, const Scope& scope);
  bool send(Thread& thread, const Instruction& instruction, const Scope& scope);
  bool wait_for_threads(Thread& thread);
  bool call(Thread& thread, const Instruction& instruction, Scope& scope);
  bool leave(Thread& thread, Scope& scope);
  void ask(const ThreadPtr& thread, const Instruction& instruction, const Scope& scope);
  bool is_recursive(const Thread& thread, std::size_t procedure) const;
  void stop_others(const Thread& thread);
  void kill(Thread& thread);
  void move_layer(std::size_t actor, bool front);

  std::vector<ThreadPtr> start_hats(scratch::Op hat, const std::string& message);
  ThreadPtr start(const CompiledScript& script);
  void start_timed();
  bool is_running(const CompiledScript& script) const;
  bool skip_time();

  World world_;
  CompiledProject project_;
  std::vector<std::size_t> order_;  // actors from back to front
  std::vector<ThreadPtr> threads_;
  std::vector<Question> questions_;
  // Scripts under "when timer >", and whether it was when they were last looked at.
  std::vector<std::pair<const CompiledScript*, bool>> timed_;
  int idle_steps_ = 0;  // since a script last ran
  std::size_t blocks_per_step_ = ~std::size_t{0};
  std::size_t blocks_left_ = 0;
};

}  // namespace sb3lm::eval
