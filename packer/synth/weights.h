// Random weights of one tensor, quantised as SSMoELM's model card says.
#pragma once

#include <cstdint>
#include <vector>

#include "base/progress.h"
#include "model/tensor.h"
#include "synth/presets.h"

namespace sb3lm {

/// Calls take(key, shape) for every tensor of the spec, in their order, and reports how far it is.
template <class Take>
void each_tensor(const ModelSpec& spec, Progress& progress, const Take& take) {
  const auto expected = expected_tensors(spec);
  std::size_t done = 0;
  for (const auto& [key, shape] : expected) {
    take(key, shape);
    progress.report("making weights",
                    static_cast<double>(++done) / static_cast<double>(expected.size()));
  }
}

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
