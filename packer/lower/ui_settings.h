// The settings on the stage: six rows with a slider each.
#pragma once

#include "lower/ui_pen.h"
#include "scratch/script.h"

namespace sb3lm {

inline constexpr const char* kSurpriseMessage = "surprise me";

/// `read` takes the values over from the public variables and must run before the others, which
/// write them back. `draw` draws all rows. `drag` moves the slider under the mouse, if there is
/// one, until the button is let go; `choose` goes up or down by rows, `change` changes the chosen
/// row's value by steps; `surprise` takes a seed from the clock.
struct SettingsBlocks {
  blocks::Proc<> read, draw, drag, surprise;
  blocks::Proc<blocks::Num> choose, change;
};
SettingsBlocks emit_settings(blocks::Sprite& sprite, const PenText& pen);

}  // namespace sb3lm
