// The user's message as tokens, under the model's chat template.
#pragma once

#include "lower/scripts.h"

namespace sb3lm {

/// apply template: `prompt tokens` = the ids of the user's turn, of the first one's form while
/// `turns` is empty. Only for models with a tokenizer.
blocks::Proc<> emit_apply_template(blocks::Sprite& engine, const ScriptParts& parts,
                                   const blocks::List<blocks::Num>& turns);

}  // namespace sb3lm
