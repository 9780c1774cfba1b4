// What each build target may hold, as data, and how a finished project measures up.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "model/choices.h"
#include "scratch/ir.h"

namespace sb3lm {

/// What is counted against limits.
struct Measures {
  std::size_t sb3_bytes = 0;
  std::size_t project_json_bytes = 0;
  std::size_t blocks = 0;
  std::size_t largest_list = 0;   // items
  std::size_t largest_asset = 0;  // bytes
};

struct Limit {
  BuildTarget target;
  std::string_view what;  // "bytes of project.json"
  std::size_t Measures::*measure;
  std::size_t most;
  bool is_warning = false;  // over it is said, not refused
};

/// Grouped by target.
std::span<const Limit> target_limits();

/// The .sb3 size that a target may have; the default target's where it has no such limit.
std::size_t budget_of(BuildTarget target);

/// Blocks that the program becomes in the file.
std::size_t count_program_blocks(const scratch::Program& program);

Measures measure(const scratch::Program& program, std::size_t sb3_bytes,
                 std::size_t project_json_bytes);

/// One text for each limit of the target that is exceeded, by how much; warnings are left out.
std::vector<std::string> over_limits(BuildTarget target, const Measures& measures);
std::vector<std::string> over_limits(BuildTarget target, std::size_t sb3_bytes,
                                     const scratch::Program& program,
                                     std::size_t project_json_bytes);
/// The same for a finished file, which is read back.
std::vector<std::string> over_limits(BuildTarget target, Bytes sb3);

}  // namespace sb3lm
