// GPTQ in the order in which a token meets the matrices.
#pragma once

#include "base/progress.h"
#include "model/model.h"
#include "quant/rtn.h"
#include "runtime_ref/calibration.h"

namespace sb3lm {

/// Rounds these matrices, each by RowsRounder (quant/gptq.h) for the inputs that it gets once those
/// before it are rounded, towards what it would make of the inputs that it has in the model as it
/// was. Tables and what is not in a layer come first; the head, where it has weights of its own,
/// comes last. A layer that runs more than once is rounded for the inputs of all its passes in the
/// model as it was. `text`: windows to run; none: the model writes them (calibrate).
void round_in_turn(Model& model, const Widths& widths, Windows text,
                   const CalibrationOptions& options, Progress& progress);

}  // namespace sb3lm
