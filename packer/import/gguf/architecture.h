// What a GGUF file says of its model: general.architecture and the entries that begin with it.
#pragma once

#include "import/container.h"
#include "import/gguf/file.h"

namespace sb3lm {

/// Sets model_type and the stated facts of the container. Throws unsupported, by its name, for an
/// architecture or an entry about it that is not understood, and bad_input for values that cannot
/// be.
void read_architecture(const GgufFile& file, Container& container);

}  // namespace sb3lm
