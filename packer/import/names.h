// Tensor names to roles, by the rules of a family.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "import/family.h"
#include "model/tensor.h"

namespace sb3lm {

struct NameMatch {
  TensorKey key;
  const NameRule* rule;
};

/// The roles of a stem ("model.layers.3.self_attn.q_proj.weight"), a leading "model." (or what else
/// the family allows) and an ending ".weight" left away: of a fused tensor several, none if no rule
/// fits. `layer` is the number in the name; expert -1 of an expert role means one tensor that
/// stacks all experts. What export calls tensors that a family's files do not have as they are
/// ("layer 3 q") is known to every family.
std::vector<NameMatch> roles_of_name(const Family& family, std::string_view stem);

/// A name without what wrapping a model in others puts before each of its names ("_orig_mod.",
/// "module.", "model.language_model.", ...).
std::string_view without_wrappers(std::string_view name);

/// Whether a tensor is no weight in any family: tables of RoPE and masks of attention that files
/// keep.
bool is_buffer(const StoredTensor& tensor);

/// The text of the role whose rule is spelled most like the stem, for error messages.
std::string nearest_role(const Family& family, std::string_view stem);

}  // namespace sb3lm
