// Which layers are alike in attention or in feed forward, so that they can share its procedures.
#pragma once

#include "lower/layout.h"
#include "model/spec.h"

namespace sb3lm {

/// Where the weights of half a layer begin: its first codes and its first numbers, 0 if it has
/// none.
struct Begin {
  std::int64_t codes_at = 0, scales_at = 0;
};
Begin begin_of(const Layout& layout, int layer, Half half);

/// The same storage, shape and format; places may differ.
bool same_kind(const TensorPlace& a, const TensorPlace& b);
/// Two layers' halves have one description and differ only in where their weights begin.
bool alike(const ModelSpec& spec, const Layout& layout, Half half, int a, int b);

}  // namespace sb3lm
