// Green flag: the weights' text becomes numbers, with visible progress; `unload` undoes it.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "kernels/kernels.h"
#include "kernels/text.h"
#include "lower/layout.h"
#include "lower/stage.h"

namespace sb3lm {

/// load: decodes everything, chunk by chunk, yielding between chunks. unload: zeros again. Both
/// keep `loaded` (1 while the weights are numbers).
struct LoaderBlocks {
  blocks::Proc<> load;
  blocks::Proc<> unload;
  blocks::Var<blocks::Num> loaded;
};
struct LoaderParts {
  const StageNames& stage;
  std::optional<TokenTableBlocks> tables;  // the tokenizer's, if there is something to fill
  // What the forward pass and the sampler leave behind, for `unload`: lists that were zeros of that
  // length, and lists that were empty.
  std::vector<std::pair<blocks::List<blocks::Num>, std::int64_t>> zeros;
  std::vector<blocks::List<blocks::Num>> empties;
};
LoaderBlocks emit_loader(blocks::Sprite& engine, const Workspace& w, const Layout& layout,
                         const LoaderParts& parts);

}  // namespace sb3lm
