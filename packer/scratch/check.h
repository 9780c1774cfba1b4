// Rules that every program of ours must keep: names and types fit, the virtual machines' limits are
// respected, and nothing is computed that differs from browser to browser.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "scratch/ir.h"

namespace sb3lm {

struct CheckOptions {
  std::set<std::string> foreign = {};  // targets made by others: only their names and shapes count
  bool compiled = true;  // made for TurboWarp's compiler too, so its rules of speed hold as well
};

/// What is wrong, one text per fault, each with its target and procedure or script; empty if
/// nothing is.
std::vector<std::string> check_program(const scratch::Program& program,
                                       const CheckOptions& options = {});

/// Throws Error(bug) with the first faults if there are any.
void require_valid(const scratch::Program& program, const CheckOptions& options = {});

}  // namespace sb3lm
