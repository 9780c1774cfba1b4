// plan --passes: the part of `plan` that chooses layers.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "runtime_ref/pass_search.h"

namespace sb3lm {

nlohmann::ordered_json passes_as_json(const PassSearch& search);

/// The trials as a table, the best first.
void print_passes(const PassSearch& search, const std::string& text);

}  // namespace sb3lm
