// From logits to the next token, exactly as the blocks do it (docs/formats.md, "Numerics").
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sb3lm {

struct SamplingOptions {
  double temperature = 0;         // 0: the largest logit
  int top_k = 0;                  // 0: all
  double top_p = 1;               // 1: all
  double repetition_penalty = 1;  // 1: none
  double seed = 1;                // Scratch numbers are doubles; only floor and size count
};

/// x <- 16807 x mod 2147483647 (Lehmer); draws are x / 2147483647, in (0, 1).
class Lehmer {
 public:
  /// x starts at 1 + (|floor(seed)| mod 2147483646).
  explicit Lehmer(double seed);
  double draw();

 private:
  std::uint64_t x_;
};

class Sampler {
 public:
  /// Throws usage for an option outside its range.
  Sampler(const SamplingOptions& options, int vocabulary);

  /// Tells that a token is in the prompt or the output: from now on the penalty applies to it,
  /// once.
  void saw(int token);

  /// The next token; draws one random number, none at temperature 0. Does not call saw().
  ///  1. repetition penalty on every seen id: l > 0 ? l / R : l * R;  2. divided by the
  ///  temperature;
  ///  3. the top_k largest, lower id first among equals;  4. softmax;  5. the shortest prefix in
  ///  descending order (lower id first) whose sum reaches top_p, renormalised;  6. the first token
  ///  by ascending id whose cumulative sum exceeds the draw (the last one kept if rounding leaves
  ///  none).
  int sample(std::span<const double> logits);

 private:
  SamplingOptions options_;
  Lehmer random_;
  std::vector<bool> seen_;
};

}  // namespace sb3lm
