// Reads one target's flat map of blocks back into procedures and scripts, names in place of ids.
#pragma once

#include <string>
#include <unordered_map>

#include "sb3/json_in.h"
#include "scratch/ir.h"

namespace sb3lm {

/// Names by id, over the whole project.
struct IdNames {
  std::unordered_map<std::string, std::string> variables, lists, broadcasts;
};

/// Texts of comments by the id of their block.
using BlockComments = std::unordered_map<std::string, std::string>;

/// Fills `target.procedures` and `target.scripts` from its "blocks". Throws unsupported for an
/// opcode outside our table, bad_input for references to nothing, blocks used twice (which covers
/// cycles) and nesting that no editor could make.
/// Comments on other blocks than hats and definitions are dropped.
void read_blocks(const std::string& file, const JsonObject& blocks, const IdNames& names,
                 const BlockComments& comments, scratch::Target& target);

}  // namespace sb3lm
