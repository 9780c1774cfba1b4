// Estimates of how long blocks take, from measured costs (cost_*.def). Good enough to compare two
// forms of a kernel or to see what dominates a token; not a benchmark.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "scratch/ir.h"

namespace sb3lm::scratch {

/// The machines whose costs are known.
enum class Machine { turbowarp, scratch };

struct CostRow {
  std::string_view name;
  double ns = 0;
  std::string_view source;
};
/// All rows, the same names in the same order for every machine.
std::span<const CostRow> cost_rows(Machine machine);

/// An estimate, and what it leaves open: how often the code that is run through has such a place.
struct Estimate {
  double ns = 0;
  int unknown_loops = 0;  // the number of turns is not constant; counted as one turn
  int choices = 0;        // counted as the dearer way
  int unknown_calls = 0;  // of itself or of what does not exist; counted as empty
};

/// One run of a procedure of `target` with everything that it calls. Arguments that are constants
/// where it is called count as such in its loops and choices. Of a tuned procedure's two forms
/// (kernels/tuned.h) only the machine's own is counted. Throws bug if there is no such procedure.
Estimate procedure_cost(const Target& target, std::string_view code, Machine machine);

}  // namespace sb3lm::scratch
