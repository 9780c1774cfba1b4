#include "report/limits.h"

#include <algorithm>

#include "base/error.h"
#include "report/separators.h"
#include "sb3/sb3.h"
#include "sb3/zip.h"
#include "scratch/player_limits.h"
#include "unpack/unpack.h"

namespace sb3lm {
namespace {

// docs/formats.md, "Limits" has the sources. Vanilla Scratch cannot add to a list beyond 200,000
// items; the targets that preload their lists do not depend on it.
constexpr Limit kLimits[] = {
    {BuildTarget::sb3, "bytes of the .sb3", &Measures::sb3_bytes, 10'485'760},
    {BuildTarget::site, "bytes of project.json", &Measures::project_json_bytes, 5'000'000},
    {BuildTarget::site, "bytes of an asset", &Measures::largest_asset, 10'000'000},
    {BuildTarget::site, "blocks", &Measures::blocks, 3'500},
    {BuildTarget::site, "items of a list", &Measures::largest_list, kMostListItems},
    {BuildTarget::turbowarp, "bytes of the .sb3", &Measures::sb3_bytes, 100'000'000, true},
};

std::size_t count_stack(const scratch::Stack& stack) {
  std::size_t count = 0;
  for (const scratch::NodePtr& block : stack) count += scratch::count_blocks(*block);
  return count;
}

}  // namespace

std::span<const Limit> target_limits() {
  return kLimits;
}

std::size_t budget_of(BuildTarget target) {
  for (const BuildTarget name : {target, BuildTarget::sb3}) {
    for (const Limit& limit : kLimits) {
      if (limit.target == name && limit.measure == &Measures::sb3_bytes) return limit.most;
    }
  }
  return 0;
}

std::size_t count_program_blocks(const scratch::Program& program) {
  std::size_t count = 0;
  for (const scratch::Target& target : program.targets) {
    for (const scratch::Script& script : target.scripts) {
      count += scratch::count_blocks(*script.hat) + count_stack(script.body);
    }
    // A definition, its prototype and the prototype's parameters are blocks too.
    for (const scratch::Procedure& procedure : target.procedures) {
      count += 2 + procedure.parameters.size() + count_stack(procedure.body);
    }
  }
  return count;
}

Measures measure(const scratch::Program& program, std::size_t sb3_bytes,
                 std::size_t project_json_bytes) {
  Measures measures{.sb3_bytes = sb3_bytes,
                    .project_json_bytes = project_json_bytes,
                    .blocks = count_program_blocks(program)};
  for (const scratch::Target& target : program.targets) {
    for (const scratch::List& list : target.lists) {
      measures.largest_list = std::max(measures.largest_list, list.size());
    }
  }
  for (const auto& [name, bytes] : program.assets) {
    measures.largest_asset = std::max(measures.largest_asset, bytes.size());
  }
  return measures;
}

std::vector<std::string> over_limits(BuildTarget target, const Measures& measures) {
  std::vector<std::string> over;
  for (const Limit& limit : kLimits) {
    const std::size_t size = measures.*limit.measure;
    if (limit.target != target || limit.is_warning || size <= limit.most) continue;
    over.push_back(fmt::format("target {}: {} {} of at most {}, {} over", enum_name(target),
                               with_separators(size), limit.what, with_separators(limit.most),
                               with_separators(size - limit.most)));
  }
  return over;
}

std::vector<std::string> over_limits(BuildTarget target, std::size_t sb3_bytes,
                                     const scratch::Program& program,
                                     std::size_t project_json_bytes) {
  return over_limits(target, measure(program, sb3_bytes, project_json_bytes));
}

std::vector<std::string> over_limits(BuildTarget target, Bytes sb3) {
  std::size_t project_json_bytes = 0;
  for (const ZipPlace& place : list_zip("the project", sb3)) {
    if (place.name == "project.json") project_json_bytes = place.size;
  }
  return over_limits(target, sb3.size(), read_sb3("the project", sb3, own_targets),
                     project_json_bytes);
}

}  // namespace sb3lm
