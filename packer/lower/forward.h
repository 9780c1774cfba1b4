// The forward pass of a model as procedures of the engine sprite: the steps of packer/model/steps.h
// after the passes of lower/passes, each emitted by its operation in lower/ops.
#pragma once

#include <optional>

#include "kernels/kernels.h"
#include "lower/layout.h"

namespace sb3lm {

/// token(id): runs one token at Workspace::position and moves the position on; head: logits of the
/// token after it into the region `logits`. prompt_token(id): for a token whose logits nobody
/// needs; leaves the same keys and values behind, so the last pass stops there. token_in_steps(id,
/// whole): does as token if `whole` is 1, else as prompt_token, but gives way to the screen after
/// every pass where it is interpreted. Tune::turbowarp has only the first two of these,
/// Tune::scratch only the last.
struct ForwardBlocks {
  std::optional<blocks::Proc<blocks::Num>> token, prompt_token;
  std::optional<blocks::Proc<blocks::Num, blocks::Num>> token_in_steps;
  blocks::Proc<> head;
};
ForwardBlocks emit_forward(blocks::Sprite& engine, const Workspace& w, const ExpBlocks& exp,
                           const Layout& layout);

}  // namespace sb3lm
