// Text as tokens in `prompt tokens`: plain, or as a user's turn under the model's chat template.
#pragma once

#include "lower/scripts.h"

namespace sb3lm {

struct PromptBlocks {
  blocks::Proc<> plain;    // with the start token in front, if the tokenizer adds one
  blocks::Proc<> message;  // of the first turn's form while `turns` is empty; else as `plain`
};
/// Both read `text`. Only for models with a tokenizer.
PromptBlocks emit_prompts(blocks::Sprite& engine, const ScriptParts& parts,
                          const blocks::Var<blocks::Str>& text,
                          const blocks::List<blocks::Num>& turns);

}  // namespace sb3lm
