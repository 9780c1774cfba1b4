// The rotations that a project's rotary embedding starts from.
#pragma once

#include <vector>

#include "model/spec.h"

namespace sb3lm {

struct RopeConstants {
  std::vector<double> cosine, sine;  // by frequency
};

/// cos and sin of a turn by 2^doublings positions, up to 64: of 2^doublings times the frequency of
/// packer/model/spec.h, with the spec's sign. The doubles nearest to the true values, the same on
/// every machine.
RopeConstants rope_constants(const RopeSpec& rope, int doublings);

}  // namespace sb3lm
