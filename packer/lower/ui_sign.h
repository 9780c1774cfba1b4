// "Click the green flag.": what the stage says while no script runs.
#pragma once

#include <string_view>

#include "scratch/script.h"

namespace sb3lm {

// Of its picture, 230 by 40 pixels.
inline constexpr double kSignX = 45, kSignY = -18;

/// The drawing alone, to stand in the backdrop for the time before the flag: the screen paints over
/// it.
std::string_view sign_drawing();

/// Adds costume and script to the sprite, which is to be seen when the stop sign ends loading.
void emit_sign(blocks::Sprite& sign);

}  // namespace sb3lm
