// Rules that every program of ours must keep: names and types fit, the virtual machines' limits are
// respected, and nothing is computed that differs from browser to browser.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "scratch/ir.h"

namespace sb3lm {

/// What is wrong, one text per fault, each with its target and procedure or script; empty if
/// nothing is. Targets named in `foreign` were made by others: only their names and shapes count.
std::vector<std::string> check_program(const scratch::Program& program,
                                       const std::set<std::string>& foreign = {});

/// Throws Error(bug) with the first faults if there are any.
void require_valid(const scratch::Program& program, const std::set<std::string>& foreign = {});

}  // namespace sb3lm
