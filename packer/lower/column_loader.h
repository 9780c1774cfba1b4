// The loader of Kernel::columns: fills lists that are empty before, in the order of the text.
#pragma once

#include "lower/loader.h"

namespace sb3lm {

/// As emit_loader. Everything else must have been declared on the engine: its preloaded zeros are
/// taken away, and added when loading.
LoaderBlocks emit_column_loader(blocks::Sprite& engine, const Workspace& w, const Layout& layout,
                                const ExpBlocks& exp, const LoaderParts& parts);

}  // namespace sb3lm
