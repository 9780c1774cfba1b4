// What would make a project smaller, and by how much about.
#pragma once

#include <string>
#include <vector>

#include "report/report.h"
#include "unpack/unpack.h"

namespace sb3lm {

/// Largest saving first. Savings are estimates: differences of entropies, and shares of what the
/// report has measured; they add up as long as two do not touch the same numbers.
std::vector<Advice> make_advice(const Report& report, const scratch::Program& program,
                                const Unpacked& unpacked);

}  // namespace sb3lm
