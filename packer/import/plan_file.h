// A plan: how many bits each matrix gets, as `sb3lm plan` writes it (docs/plan-json.md).
#pragma once

#include <string>
#include <string_view>

#include "model/recipe.h"

namespace sb3lm {

/// Throws bad_input that names the field at fault, unsupported for a newer format.
Recipe read_plan(const std::string& file, std::string_view json);

/// The text of a plan; `about` is for people.
std::string plan_text(const Recipe& recipe, const std::map<std::string, std::string>& about);

}  // namespace sb3lm
