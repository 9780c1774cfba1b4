// Puts a program into the order that Scratch's editor opens quickly.
#pragma once

#include "scratch/ir.h"

namespace sb3lm::scratch {

/// Sprites with few blocks go first, because the editor opens and draws the first one; what lies in
/// front on the stage stays so. Variables and lists go by name, the last one first: the editor
/// sorts the stage's and then the sprite's anew for each menu that it draws, and a row that falls
/// all the way takes it one comparison a name.
void order_for_editor(Program& program);

}  // namespace sb3lm::scratch
