// What drawn models have used of all that a description can say, a step can compute and a project
// can be built for.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "support/drawn_model.h"

namespace sb3lm::test {

/// Every field of a spec as "layers.rope.base = 10000", layer by layer.
std::vector<std::string> field_texts(const ModelSpec& spec);

class Coverage {
 public:
  /// Knows what there is: every operation, role, width and so on; of fields every bool and value of
  /// an enumeration; the default of a number, where a model may have it, and another one; lists of
  /// one and of more.
  Coverage();

  void add(const DrawnModel& drawn);

  /// What fewer than `enough` models had, one line each; empty: nothing.
  std::string gaps(int enough) const;
  /// How many models had what, a line for each thing.
  std::string text() const;

 private:
  std::map<std::string, std::map<std::string, int>> models_;
};

}  // namespace sb3lm::test
