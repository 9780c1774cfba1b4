#include "quant/text_runs.h"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace sb3lm {

std::vector<TextRun> text_runs(std::span<const RunTensor> tensors) {
  std::vector<std::size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  // What the tensors of a run have in common, by layer.
  const auto kind = [&](std::size_t i) {
    const RunTensor& tensor = tensors[i];
    const int sort = tensor.bits > 0 ? 0 : is_vector(tensor.key.role) ? 2 : 1;
    return std::tuple(tensor.key.layer, sort, sort == 0 ? -tensor.shape.cols : 0, tensor.bits);
  };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::tuple(kind(a), tensors[a].key) < std::tuple(kind(b), tensors[b].key);
  });
  std::vector<TextRun> runs;
  for (const std::size_t i : order) {
    if (runs.empty() || kind(runs.back().tensors.front()) != kind(i)) {
      runs.push_back({.bits = tensors[i].bits, .cols = tensors[i].shape.cols, .tensors = {}});
    }
    runs.back().tensors.push_back(i);
  }
  return runs;
}

}  // namespace sb3lm
