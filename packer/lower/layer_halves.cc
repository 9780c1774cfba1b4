#include "lower/layer_halves.h"

#include <algorithm>
#include <vector>

namespace sb3lm {
namespace {

std::vector<const TensorPlace*> tensors_of(const Layout& layout, int layer, Half half) {
  std::vector<const TensorPlace*> tensors;
  for (const TensorPlace& tensor : layout.tensors) {
    if (tensor.key.layer == layer && about(tensor.key.role).half == half)
      tensors.push_back(&tensor);
  }
  return tensors;
}

}  // namespace

Begin begin_of(const Layout& layout, int layer, Half half) {
  Begin begin;
  const auto lower = [](std::int64_t& least, std::int64_t at) {
    if (at > 0 && (least == 0 || at < least)) least = at;
  };
  for (const TensorPlace* tensor : tensors_of(layout, layer, half)) {
    lower(begin.codes_at, tensor->codes_at);
    lower(begin.scales_at, tensor->scales_at);
  }
  return begin;
}

bool same_kind(const TensorPlace& a, const TensorPlace& b) {
  return a.storage == b.storage && a.shape == b.shape && a.format == b.format &&
         a.stride == b.stride;
}

bool alike(const ModelSpec& spec, const Layout& layout, Half half, int a, int b) {
  const LayerSpec& first = spec.layers[static_cast<std::size_t>(a)];
  const LayerSpec& second = spec.layers[static_cast<std::size_t>(b)];
  if (half == Half::attention ? !(first.attention == second.attention)
                              : !(first.feed_forward == second.feed_forward)) {
    return false;
  }
  const Begin from = begin_of(layout, a, half), to = begin_of(layout, b, half);
  const auto tensors = tensors_of(layout, a, half), others = tensors_of(layout, b, half);
  return std::equal(
      tensors.begin(), tensors.end(), others.begin(), others.end(),
      [&](const TensorPlace* m, const TensorPlace* n) {
        return same_kind(*m, *n) &&
               (!m->is_coded() || m->codes_at - from.codes_at == n->codes_at - to.codes_at) &&
               m->scales_at - from.scales_at == n->scales_at - to.scales_at;
      });
}

}  // namespace sb3lm
