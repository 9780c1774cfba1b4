// Running the prompt and writing the reply, token by token, with its timing.
#pragma once

#include "lower/history.h"
#include "lower/requests.h"

namespace sb3lm {

/// run: runs `prompt tokens` at the current position, then generates until there is a stop reason
/// or a newer request replaces this one.
blocks::Proc<> emit_run(blocks::Sprite& engine, const ScriptParts& parts, const Requests& requests,
                        const History& history);

}  // namespace sb3lm
