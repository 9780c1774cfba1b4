#include "kernels/workspace.h"

namespace sb3lm {

using namespace blocks;

Workspace make_workspace(Sprite& engine, WorkspaceSizes sizes) {
  return {.codes = engine.list<Num>("_codes", {}, sizes.codes),
          .scales = engine.list<Num>("_scales", std::move(sizes.float_weights), sizes.scales),
          .act = engine.list<Num>("_act", {}, sizes.act),
          .table = engine.list<Num>("_table"),
          .keys = engine.list<Num>("_keys", {}, sizes.cache),
          .values = engine.list<Num>("_values", {}, sizes.cache),
          .sum = engine.var<Num>("_sum"),
          .position = engine.var<Num>("_position"),
          .exp = engine.var<Num>("_exp"),
          .compiled = engine.var<Num>("_compiled", 1.0),
          .tune = sizes.tune};
}

}  // namespace sb3lm
