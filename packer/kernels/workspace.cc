#include "kernels/workspace.h"

#include <utility>

#include "model/project_names.h"

namespace sb3lm {

using namespace blocks;

Workspace make_workspace(Sprite& engine, WorkspaceSizes sizes) {
  std::vector<List<Num>> columns;
  for (int k = 1; k <= sizes.columns; ++k) {
    columns.push_back(engine.list<Num>(fmt::format("_codes {}", k)));
  }
  return {.codes = engine.list<Num>(names::kCodes, {}, sizes.codes),
          .columns = std::move(columns),
          .scales = engine.list<Num>(names::kScales, std::move(sizes.float_weights), sizes.scales),
          .act = engine.list<Num>(names::kAct, {}, sizes.act),
          .table = engine.list<Num>(names::kTable),
          .keys = engine.list<Num>(names::kKeys, {}, sizes.cache),
          .values = engine.list<Num>(names::kValues, {}, sizes.cache),
          .sum = engine.var<Num>("_sum"),
          .position = engine.var<Num>("_position"),
          .exp = engine.var<Num>("_exp"),
          .compiled = engine.var<Num>("_compiled", 1.0),
          .tune = sizes.tune,
          .small = sizes.small};
}

}  // namespace sb3lm
