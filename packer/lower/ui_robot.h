// The sprite that talks: it sleeps while the weights load, thinks, moves its mouth, and asks what
// the user wants when it is clicked.
#pragma once

#include <string>

#include "scratch/script.h"

namespace sb3lm {

/// Adds costumes and scripts; a click sends `message`.
void emit_robot(blocks::Sprite& robot, const std::string& message);

}  // namespace sb3lm
