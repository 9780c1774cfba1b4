// The order of text in projects with Kernel::columns: neighbouring tensors that are alike share one
// text by the range coder, and one table. Writer and reader agree by this order alone.
#pragma once

#include <span>
#include <vector>

#include "model/tensor.h"

namespace sb3lm {

struct RunTensor {
  TensorKey key;
  Shape shape;
  int bits = 0;  // 0: binary16 numbers; floats are not in any run
};

/// Runs in the order of the text and of what it decodes to: the vocabulary, then layer by layer;
/// codes, wide rows first, then matrices of numbers, then vectors. A run of codes has a codebook,
/// letters, and both once more for its row scales; one of numbers has a codebook and letters.
struct TextRun {
  int bits = 0;
  int cols = 0;  // of codes
  std::vector<std::size_t> tensors;
  int items() const { return bits > 0 ? 4 : 2; }
};
std::vector<TextRun> text_runs(std::span<const RunTensor> tensors);

}  // namespace sb3lm
