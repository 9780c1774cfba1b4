// Questions that a checkpoint offers to whoever opens it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/model.h"

namespace sb3lm {

/// The metadata's key: a JSON list of texts, as `tools/train/run suggest` writes it.
inline constexpr std::string_view kSuggestionsKey = "sb3lm.suggestions";

/// What the checkpoint suggests to ask; nothing if it suggests nothing. Throws bad_input, with
/// `file` in front, for anything but at most four questions of at most 48 bytes in one line each.
std::vector<std::string> suggested_questions(const Model& model, std::string_view file);

}  // namespace sb3lm
