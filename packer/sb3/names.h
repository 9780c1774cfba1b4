// What blocks refer to by name: variables, lists, broadcasts and procedures of a Program, each with
// the handle of its id.
#pragma once

#include <map>
#include <string>

#include "sb3/ids.h"
#include "scratch/ir.h"

namespace sb3lm {

struct Names {
  using Map = std::map<std::string, IdTable::Handle, std::less<>>;
  Map variables, lists, broadcasts;
  IdTable::Handle first_free = 0;  // handles from here on are the blocks'

  /// Deals out handles in program order. Throws Error(bug) on a name that occurs twice.
  explicit Names(const scratch::Program& program);
};

/// The n-th argument's id, unique within its procedure.
std::string argument_id(std::size_t index);

}  // namespace sb3lm
