// Costumes named by single letters. Scratch compares texts ignoring case, but finds costumes by
// their exact names: switching to the costume of that name and asking for its number is the only
// lookup that tells 'A' from 'a'.
#pragma once

#include <string>

#include "scratch/script.h"

namespace sb3lm::blocks {

/// Adds an empty costume of that name to the sprite; returns its number, from 1.
int add_letter_costume(Sprite& sprite, const std::string& name);
/// The number of the costume of that name, which is added if there is none.
int letter_costume(Sprite& sprite, const std::string& name);

}  // namespace sb3lm::blocks
