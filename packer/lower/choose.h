// Which of several answers the model would most likely give.
#pragma once

#include "lower/history.h"
#include "lower/request_check.h"
#include "lower/requests.h"

namespace sb3lm {

/// choose: of the list `answers` the one whose tokens have the largest product of probabilities
/// after the user's message, the first among equals, becomes `choice`. Neither the conversation nor
/// the dice change. `message` makes the message `prompt tokens`.
blocks::Proc<> emit_choose(blocks::Sprite& engine, const ScriptParts& parts,
                           const Requests& requests, const History& history,
                           const RequestCheck& check, const blocks::Proc<>& message);

}  // namespace sb3lm
