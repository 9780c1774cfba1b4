// What options may be besides numbers and texts, with their names on the command line
// (model/choices.h has those that projects keep).
#pragma once

#include <array>

#include "base/enum_names.h"
#include "model/choices.h"
#include "runtime_ref/evaluate.h"

namespace sb3lm {

/// How hard build tries to make the file small.
enum class Level { fast, usual, smallest };
inline constexpr std::array<EnumNames<Level>, 3> kLevels{
    {{Level::fast, "fast"}, {Level::usual, "default"}, {Level::smallest, "smallest"}}};
constexpr const auto& names_of(Level) {
  return kLevels;
}

/// Which letters can be typed.
enum class Letters { usual, all };
inline constexpr std::array<EnumNames<Letters>, 2> kLetterChoices{
    {{Letters::usual, "usual"}, {Letters::all, "all"}}};
constexpr const auto& names_of(Letters) {
  return kLetterChoices;
}

enum class Ui { chat, none };
inline constexpr std::array<EnumNames<Ui>, 2> kUis{{{Ui::chat, "chat"}, {Ui::none, "none"}}};
constexpr const auto& names_of(Ui) {
  return kUis;
}

/// FastEngine on packed weights, or Engine in doubles, which all others are held against.
enum class EngineKind { fast, exact };
inline constexpr std::array<EnumNames<EngineKind>, 2> kEngineKinds{
    {{EngineKind::fast, "fast"}, {EngineKind::exact, "double"}}};
constexpr const auto& names_of(EngineKind) {
  return kEngineKinds;
}

/// How eval's windows score a text.
inline constexpr std::array<EnumNames<Scoring>, 2> kScorings{
    {{Scoring::once, "once"}, {Scoring::parameter_golf, "parameter-golf"}}};
constexpr const auto& names_of(Scoring) {
  return kScorings;
}

/// Where blocks can run: the block evaluator, and the machines of tools/vm.
enum class Vm { blocks, scratch, turbowarp, scratch_browser, scratch15, firefox, webkit };
inline constexpr std::array<EnumNames<Vm>, 7> kVms{{{Vm::blocks, "blocks"},
                                                    {Vm::scratch, "scratch"},
                                                    {Vm::turbowarp, "turbowarp"},
                                                    {Vm::scratch_browser, "scratch-browser"},
                                                    {Vm::scratch15, "scratch15"},
                                                    {Vm::firefox, "firefox"},
                                                    {Vm::webkit, "webkit"}}};
constexpr const auto& names_of(Vm) {
  return kVms;
}

/// Of random weights.
enum class Distribution { gauss, student5 };
inline constexpr std::array<EnumNames<Distribution>, 2> kDistributions{
    {{Distribution::gauss, "gauss"}, {Distribution::student5, "student5"}}};
constexpr const auto& names_of(Distribution) {
  return kDistributions;
}

}  // namespace sb3lm
