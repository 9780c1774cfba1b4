// Which tensor of a container is what: names, the name map and layer numbers.
#pragma once

#include <vector>

#include "import/family.h"
#include "import/name_map.h"
#include "import/packed.h"

namespace sb3lm {

struct NamedGroup {
  TensorKey key;  // layer: first the file's number, then the index
  const PackedGroup* group;
  const NameRule* rule;
  Shape extent;  // of one matrix, the rule obeyed
  int row = -1;  // of a tensor that has one for each of several layers, or as the rule says
};

/// Gives every group its role, or several; all that have none are listed in one error. A head that
/// holds the embedding once more is left out.
std::vector<NamedGroup> name_groups(const std::string& file, NameMap& map, const Family& family,
                                    const std::vector<PackedGroup>& groups);

/// Fills spec.layers (ids only) and spec.passes by names and metadata, or keeps those that there
/// are, and turns layer numbers into indices. Throws bad_input if they contradict each other.
void number_layers(const Container& container, std::vector<NamedGroup>& named, ModelSpec& spec);

/// Gives what counts only the layers that have its role (NameRule::counts_own) to these layers, now
/// that the spec is known. Throws bad_input if there are more or fewer of them.
void give_to_layers(const ModelSpec& spec, std::vector<NamedGroup>& named);

}  // namespace sb3lm
