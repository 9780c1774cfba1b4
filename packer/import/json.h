// JSON of untrusted files: nesting and duplicate names are refused, errors name file and byte.
// Only for .cc files of this folder and for config.h (the parser's header is heavy).
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace sb3lm {

using Json = nlohmann::json;

/// Throws bad_input: not JSON, nested deeper than 64, or a name twice in one object.
Json parse_json(const std::string& file, std::string_view text);

/// The text of a JSON number, string or boolean, nothing for other types.
std::optional<std::string> plain_text(const Json& json);

}  // namespace sb3lm
