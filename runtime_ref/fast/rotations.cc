#include "runtime_ref/fast/rotations.h"

#include <algorithm>

#include "base/portable_math.h"
#include "runtime_ref/ops.h"

namespace sb3lm::fast {

Rotations::Rotations(const RopeSpec& rope) : rope_(rope) {
  for (int j = 0; j < rope.dims / 2; ++j) {
    turns_.push_back(rope.sign * ops::frequency(rope, j));
  }
}

void Rotations::turn_to(std::size_t first, std::size_t count) {
  if (first == first_ && count <= count_) return;
  first_ = first;
  count_ = count;
  angles_.resize(std::max(angles_.size(), count));
  for (std::size_t t = 0; t < count; ++t) {
    Angles& angles = angles_[t];
    angles.cosine.resize(turns_.size());
    angles.sine.resize(turns_.size());
    for (std::size_t j = 0; j < turns_.size(); ++j) {
      const portable::Turn turn = portable::turn_by(turns_[j] * static_cast<double>(first + t));
      angles.cosine[j] = static_cast<float>(turn.cosine);
      angles.sine[j] = static_cast<float>(turn.sine);
    }
  }
}

void Rotations::turn(std::size_t t, float* head) const {
  const std::vector<float>&cosine = angles_[t].cosine, &sine = angles_[t].sine;
  const std::size_t pairs = turns_.size();
  const bool interleaved = rope_.layout == RopeLayout::interleaved;
  const std::size_t step = interleaved ? 2 : 1, apart = interleaved ? 1 : pairs;
  for (std::size_t j = 0; j < pairs; ++j) {
    const float a = head[j * step], b = head[j * step + apart];
    head[j * step] = a * cosine[j] - b * sine[j];
    head[j * step + apart] = a * sine[j] + b * cosine[j];
  }
}

}  // namespace sb3lm::fast
