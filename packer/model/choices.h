// Choices about the project that a model becomes, with what the command line and files call them.
#pragma once

#include <array>

#include "base/enum_names.h"

namespace sb3lm {

/// What the project is for: Scratch and TurboWarp, saving on Scratch's website, TurboWarp only.
enum class BuildTarget { sb3, site, turbowarp };
inline constexpr std::array<EnumNames<BuildTarget>, 3> kBuildTargets{
    {{BuildTarget::sb3, "sb3"},
     {BuildTarget::site, "site"},
     {BuildTarget::turbowarp, "turbowarp"}}};
constexpr const auto& names_of(BuildTarget) {
  return kBuildTargets;
}

/// Which VM the blocks are shaped for. The two disagree on a few leaf procedures only
/// (docs/costs.md): `both` carries those twice and picks at the green flag.
enum class Tune { turbowarp, scratch, both };
inline constexpr std::array<EnumNames<Tune>, 3> kTunes{
    {{Tune::turbowarp, "turbowarp"}, {Tune::scratch, "scratch"}, {Tune::both, "both"}}};
constexpr const auto& names_of(Tune) {
  return kTunes;
}

/// How matrices are multiplied: by table lookups, their codes in one list or dealt out to columns
/// of them (kernels/columns.h), or as kernels/naive.h does.
enum class Kernel { tables, columns, naive };
inline constexpr std::array<EnumNames<Kernel>, 3> kKernels{
    {{Kernel::tables, "tables"}, {Kernel::columns, "columns"}, {Kernel::naive, "naive"}}};
constexpr const auto& names_of(Kernel) {
  return kKernels;
}

}  // namespace sb3lm
