// The forward pass of a model as procedures of the engine sprite.
#pragma once

#include "kernels/kernels.h"
#include "lower/layout.h"
#include "model/model.h"

namespace sb3lm {

/// token(id): runs one token at Workspace::position and moves the position on; head: logits of the
/// token after it into the region `logits`. prompt_token(id): for a token whose logits nobody
/// needs; leaves the same keys and values behind, so the last pass stops there.
struct ForwardBlocks {
  blocks::Proc<blocks::Num> token, prompt_token;
  blocks::Proc<> head;
};
ForwardBlocks emit_forward(blocks::Sprite& engine, const Workspace& w, const ExpBlocks& exp,
                           const Model& model, const Layout& layout);

}  // namespace sb3lm
