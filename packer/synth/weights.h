// Random weights of one tensor, quantised as SSMoELM's model card says.
#pragma once

#include <cstdint>
#include <vector>

#include "model/tensor.h"
#include "synth/presets.h"

namespace sb3lm {

class WeightSource {
 public:
  WeightSource(const SynthModel& model, const SynthOptions& options)
      : model_(model), options_(options) {}

  /// Unquantised values: norms 1 +- 0.2, everything else normal (or Student-t).
  std::vector<float> plain(const TensorKey& key, Shape shape) const;
  CodedTensor quantised(const TensorKey& key, Shape shape, int bits) const;

 private:
  template <class Take>
  void each_row(const TensorKey& key, Shape shape, Take take) const;

  const SynthModel& model_;
  const SynthOptions& options_;
};

}  // namespace sb3lm
