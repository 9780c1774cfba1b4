// The conversation on the stage: wrapped, in bubbles, scrolled, and drawn as it grows.
#pragma once

#include "lower/ui_pen.h"
#include "scratch/script.h"

namespace sb3lm {

/// `clear` forgets all lines. `follow` takes over what `transcript` has more than is shown, and
/// draws it; `outdated` is whether `transcript` has something else than is shown, so that only
/// `clear` helps. `note` adds a note of the project's own. `redraw` draws all visible lines.
/// `scroll` moves by so many pixels, up if they are negative, and does not draw; `drag` moves with
/// the mouse, or a finger, that went down on the conversation, until it is up again, and draws.
/// Nothing is drawn while `covered` is 1.
struct ConversationBlocks {
  blocks::Var<blocks::Num> covered, differs;
  blocks::List<blocks::Str> shown;  // items of `transcript`
  blocks::Proc<> clear, follow, redraw, drag;
  blocks::Proc<blocks::Str> note;
  blocks::Proc<blocks::Num> scroll;

  blocks::Expr<blocks::Bool> outdated() const;
};

/// Adds it to the sprite. `paint` names a procedure, defined later, that paints the whole stage
/// anew and calls `redraw` last; a full conversation calls it when it has moved on.
ConversationBlocks emit_conversation(blocks::Sprite& sprite, const PenText& pen,
                                     const blocks::Proc<>& paint);

}  // namespace sb3lm
