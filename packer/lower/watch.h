// Scratch's red stop sign ends every script, but hats still start new ones. A pulse shows that
// scripts run; a hat that watches the timer notices when it is gone.
#pragma once

#include "lower/requests.h"

namespace sb3lm {

/// The scripts under the messages pulse and watch (lower/requests.h), and the hat. What watch finds
/// broken off goes on: the server starts again, the stage's scripts too (kWakeMessage).
void emit_watch(blocks::Sprite& engine, const StageNames& stage, const Requests& requests);

}  // namespace sb3lm
