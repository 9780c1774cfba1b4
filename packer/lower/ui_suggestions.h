// Questions to begin with: rows under the greeting, until the conversation has begun.
#pragma once

#include <string>
#include <vector>

#include "lower/ui_pen.h"
#include "scratch/script.h"

namespace sb3lm {

/// They have one key each.
inline constexpr int kMostSuggestions = 4;

/// `draw` draws the rows, `press` sends the one under the mouse, `send` the one of this number; all
/// three do nothing once there is a conversation, or while `covered` is 1 or the model thinks.
struct SuggestionBlocks {
  blocks::Proc<> draw, press;
  blocks::Proc<blocks::Num> send;
};

/// Adds them to the sprite, with their keys 1 to 4, and the list `suggestions` to the stage.
SuggestionBlocks emit_suggestions(blocks::Sprite& sprite, blocks::Sprite& stage, const PenText& pen,
                                  const blocks::Var<blocks::Num>& covered,
                                  const std::vector<std::string>& questions);

}  // namespace sb3lm
