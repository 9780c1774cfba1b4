// A model's spec from all that is known before weights are read: facts, and the shapes of tensors.
#pragma once

#include "import/naming.h"
#include "import/settings.h"

namespace sb3lm {

/// The groups by key. A stack of experts is under expert -1.
using Index = std::map<TensorKey, const NamedGroup*>;

/// Throws bad_input if two tensors have one role.
Index index_groups(const std::vector<NamedGroup>& named);

/// Completes a spec whose layers are numbered, and the facts by what the family assumes of such
/// shapes, which is returned. Throws bad_input for what nothing says, and where facts and tensors
/// contradict each other.
std::vector<ShapeFact> derive_spec(const Index& index, const std::string& file,
                                   const Family& family, Facts& facts, ModelSpec& spec);

/// Changes a spec that the file gave by what the user says.
void override_spec(const Facts& facts, ModelSpec& spec);

}  // namespace sb3lm
