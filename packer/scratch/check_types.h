// Rules about types, which the virtual machines do not demand but without which a kernel is several
// times slower. check.cc has them in its table.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "scratch/ir.h"

namespace sb3lm {

/// Indexes into private or long lists that TurboWarp's compiler does not know to be numbers: it
/// then looks the item up through a function, 14 ns instead of 2.6 (docs/costs.md). Looks at what
/// scripts reach; the " interpreted" forms of tuned procedures, which it never runs, are left out.
std::vector<std::string> unknown_indexes(const scratch::Program& program,
                                         const std::set<std::string>& foreign);

/// Texts that get into private lists of numbers: literals, which TurboWarp stores as text, and
/// preloaded items. A list that holds texts is up to 43 times slower (docs/costs.md).
std::vector<std::string> texts_among_numbers(const scratch::Program& program,
                                             const std::set<std::string>& foreign);

/// Sums that loops keep in a list item, `replace item i of L with item i of L + ..` with the same i
/// every turn: a variable costs a quarter (docs/costs.md).
std::vector<std::string> sums_in_items(const scratch::Program& program,
                                       const std::set<std::string>& foreign);

}  // namespace sb3lm
