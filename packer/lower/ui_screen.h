// The sprite that draws the stage with the pen: buttons, conversation, settings, what is happening.
#pragma once

#include "lower/ui.h"
#include "scratch/script.h"

namespace sb3lm {

/// Messages of the interface's own.
inline constexpr const char *kAskMessage = "ask", *kSettingsMessage = "settings",
                            *kClickMessage = "_click";

/// Adds its scripts to `screen`. The stage has the engine's public names and `interface texts`, and
/// gets the list of suggestions.
void emit_screen(blocks::Sprite& screen, blocks::Sprite& stage, const UiOptions& options);

}  // namespace sb3lm
