// Most operations go from token to token.
#pragma once

#include <algorithm>
#include <utility>

#include "runtime_ref/fast/binder.h"
#include "runtime_ref/fast/ops.h"

namespace sb3lm::fast {

template <class Run>
class EachToken final : public BoundStep {
 public:
  explicit EachToken(Run run) : run_(std::move(run)) {}
  void run(const Batch& batch, Tokens tokens) override {
    for (const std::size_t t : tokens) run_(batch, t);
  }

 private:
  Run run_;
};

/// run(batch, t) for every token t. It may keep references to the step and to what a Binder gives.
template <class Run>
std::unique_ptr<BoundStep> each_token(Run run) {
  return std::make_unique<EachToken<Run>>(std::move(run));
}

/// out = a row of a table, zeros for one below 0.
inline void look_up(const PackedMatrix& rows, int row, std::span<float> out) {
  if (row >= 0) {
    dequantise_row(rows, row, out);
  } else {
    std::fill(out.begin(), out.end(), 0.0F);
  }
}

}  // namespace sb3lm::fast
