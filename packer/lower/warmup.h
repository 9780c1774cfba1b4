// Between loading and `ready`: which forms of the tuned procedures this VM runs faster, and, on a
// VM that compiles, a few tokens so that the user does not wait for its compiler.
#pragma once

#include "kernels/kernels.h"
#include "lower/forward.h"
#include "lower/stage.h"

namespace sb3lm {

/// choose and warm up, in one yielding procedure; leaves Workspace::position at 0.
blocks::Proc<> emit_warmup(blocks::Sprite& engine, const Workspace& w, const StageNames& stage,
                           const ForwardBlocks& forward, const SampleBlocks& sample);

}  // namespace sb3lm
