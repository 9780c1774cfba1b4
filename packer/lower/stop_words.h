// Texts at which a reply ends.
#pragma once

#include "lower/stage.h"

namespace sb3lm {

/// cut at stop words: if `text` holds an item of `stop words`, compared as Scratch does (capitals
/// do not matter), what stands before it is what stays, and `stop reason` is `stop word`.
blocks::Proc<> emit_stop_words(blocks::Sprite& engine, const StageNames& stage,
                               const blocks::Var<blocks::Str>& text);

}  // namespace sb3lm
