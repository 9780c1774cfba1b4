// JSON of untrusted files, as model/json_value.h reads it, and the parser's own type: only for .cc
// files of this folder, for its header is heavy.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "model/json_value.h"

namespace sb3lm {

using Json = nlohmann::json;

/// The text of a JSON number, string or boolean, nothing for other types.
std::optional<std::string> plain_text(const Json& json);

}  // namespace sb3lm
