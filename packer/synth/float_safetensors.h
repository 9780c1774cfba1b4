// Float safetensors in the names of a family, and in the forms in which it stores its tensors.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/progress.h"
#include "synth/presets.h"

namespace sb3lm {

/// How a tensor lies in a file.
enum class Lies {
  plain,
  transposed,  // input x output
  by_head,     // the parts of a head side by side
  less_one,    // a norm without the 1 that is added to it
};

/// {0} is the layer's number, {1} the expert's. Roles of one name are one tensor: their rows, one
/// after the other.
struct FloatSpelling {
  Role role;
  std::string_view name;
  Lies lies = Lies::plain;
};

/// The tensors of the model's spec in their order; a role may be in several of the lists, and the
/// first one counts.
std::string write_float_safetensors(const SynthModel& model, const SynthOptions& options,
                                    std::span<const std::span<const FloatSpelling>> spellings,
                                    Progress& progress);

}  // namespace sb3lm
