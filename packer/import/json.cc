#include "import/json.h"

#include "base/number_text.h"

namespace sb3lm {

std::optional<std::string> plain_text(const Json& json) {
  if (json.is_string()) return json.get<std::string>();
  if (json.is_boolean()) return json.get<bool>() ? "true" : "false";
  if (json.is_number()) return js_number_text(json.get<double>());
  return std::nullopt;
}

}  // namespace sb3lm
