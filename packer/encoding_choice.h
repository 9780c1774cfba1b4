// Which text form suits which width of codes best, by bytes counted.
#pragma once

#include <functional>

#include "model/model.h"
#include "quant/encoding.h"

namespace sb3lm {

/// For every width of the model's codes the one of `usual` and plain hex digits that takes fewer
/// bytes. The texts' own deflate blocks are counted first; where they differ by no more than what
/// the blocks that read them take, `size_of(plan)`, the whole project's bytes, decides.
EncodingPlan choose_encodings(const Model& model, const std::string& usual,
                              const std::function<std::size_t(const EncodingPlan&)>& size_of);

}  // namespace sb3lm
