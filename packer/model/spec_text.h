// A ModelSpec for people, field by field as spec_fields.h lists them.
#pragma once

#include <string>
#include <vector>

#include "model/spec.h"

namespace sb3lm {

/// A line about the model, then one for each run of layers that are alike. What a model has none of
/// is left out: numbers that are 0 by default, choices and features that are off.
std::vector<std::string> spec_text(const ModelSpec& spec);

}  // namespace sb3lm
