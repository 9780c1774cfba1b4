// A configuration inside a pickle as the JSON that config.json would be.
#pragma once

#include <string>

#include "import/torch/pickle.h"

namespace sb3lm {

/// Dicts and records become objects, tuples and lists arrays; what JSON does not have becomes null,
/// and names that are no texts are left out. Throws bad_input, `where` in front, for what is nested
/// too deep or far too large.
std::string config_json(const Pickle& pickle, PickleId id, const std::string& where);

}  // namespace sb3lm
