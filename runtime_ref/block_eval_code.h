// Stack blocks compiled to a flat list of instructions with jumps, one list for the whole project,
// so that a thread is a position, a stack of frames and a stack of loop counters.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime_ref/block_eval_expr.h"
#include "scratch/ir.h"

namespace sb3lm::eval {

enum class Code : std::uint8_t {
  set,             // variable = a
  change,          // variable += a
  append,          // list, a
  erase,           // list, a = index
  clear,           // list
  insert,          // list, a = item, b = index
  replace,         // list, a = index, b = item
  replace_number,  // the same where both are always numbers
  call,            // target = procedure; its arguments are `arguments`
  finish,          // end of a script or procedure
  jump,            // to target
  unless,          // a false: to target
  when,            // a true: to target
  repeat_begin,    // push round(a) on the loop counters
  repeat_next,     // counter down; if none is left pop it and go to target
  loop,            // back to target; yields unless in warp
  wait_until,      // a
  wait,            // a seconds
  broadcast,       // a = message
  broadcast_wait,  // a = message
  stop_all,
  stop_script,
  stop_others,
  ask,             // a = question
  evaluate,        // a, and do nothing
  switch_costume,  // a
  go_front,
  go_back,
  reset_timer,
};

using Place = std::uint32_t;  // of an instruction

struct Instruction {
  Code code;
  Place target = 0;
  const Expr* a = nullptr;
  const Expr* b = nullptr;
  Value* variable = nullptr;
  ItemList* list = nullptr;
  std::vector<const Expr*> arguments{};
};

struct CompiledProcedure {
  std::string code;
  std::size_t actor = 0;
  Place start = 0;
  bool warp = false;
};

struct CompiledScript {
  scratch::Op hat;
  std::string message;  // lower case; of "when I receive", or the key of "when key pressed"
  std::size_t actor = 0;
  Place start = 0;
  const Expr* seconds = nullptr;  // of "when timer > seconds"
};

struct CompiledProject {
  std::vector<Instruction> instructions;
  std::vector<CompiledProcedure> procedures;
  std::vector<CompiledScript> scripts;
  std::vector<std::string> broadcasts;  // lower case
  std::vector<ExprPtr> expressions;     // what the instructions point to
};

/// Throws bad_input on names that do not resolve and on nesting too deep to evaluate. The result
/// points into `world`, which must outlive it.
CompiledProject compile(const scratch::Program& program, World& world);

}  // namespace sb3lm::eval
