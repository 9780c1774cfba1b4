// A ModelSpec as JSON, field by field as spec_fields.h lists them.
#pragma once

#include <string>
#include <string_view>

#include "model/spec.h"

namespace sb3lm {

/// Fields that are always there, then those that differ from their defaults.
std::string spec_to_json(const ModelSpec& spec);

/// And back; members that it does not know are left alone. Throws bad_input that names the field,
/// `what` in front. The result is not validated.
ModelSpec spec_from_json(std::string_view json, const std::string& what);

}  // namespace sb3lm
