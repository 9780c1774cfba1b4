// Programs as scratchblocks text, for people and for golden tests.
#pragma once

#include <string>

#include "scratch/ir.h"

namespace sb3lm {

std::string print_script(const scratch::Script& script);
std::string print_procedure(const scratch::Procedure& procedure);
/// One block with everything inside it, without a final line end.
std::string print_block(const scratch::Node& node);
/// Every target's procedures and scripts, under comments with the targets' names.
std::string print_program(const scratch::Program& program);

}  // namespace sb3lm
