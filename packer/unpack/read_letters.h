// The letters that a finished project knows, read back from its texts and costumes.
#pragma once

#include <optional>

#include "model/typed_letters.h"
#include "scratch/ir.h"

namespace sb3lm {

/// Nothing if the project takes no text, or keeps its letters in another way.
std::optional<TypedLetters> read_letters(const scratch::Program& program);

}  // namespace sb3lm
