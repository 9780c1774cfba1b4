// From the options of `build` to what pack() is asked for; `plan` asks for the same.
#pragma once

#include "options.h"
#include "pack.h"

namespace sb3lm {

/// Fills in the output's name and the title.
BuildOptions with_defaults(BuildOptions options);

PackRequest pack_request(const BuildOptions& options, const Recipe& recipe);
/// Turns the request into one for the smallest text, false if it is that already.
bool denser(PackRequest& request);

}  // namespace sb3lm
