// A model as a checkpoint file again: packed safetensors, with the names, order and metadata of the
// file that it came from.
#pragma once

#include <string>

#include "base/progress.h"
#include "model/model.h"

namespace sb3lm {

struct CheckpointOut {
  std::string checkpoint;
  std::string sidecar;  // the conventions that reading it needs; empty if it is read right without
};

/// Tensors that were packed come out as they were, codes and scales bit for bit. Matrices that were
/// floats come out as they are now: 1-bit codes as STEM__bin, up to 4 bits as STEM__int4, wider
/// ones as STEM__int8. If the file is not read right without, its metadata get the spec. The result
/// is read back and compared before it is returned. Throws unsupported for a model that does not
/// know its file's tensors.
CheckpointOut write_checkpoint(const Model& model, Progress& progress);

}  // namespace sb3lm
