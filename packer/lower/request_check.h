// Refusing what cannot be run, in words that say what to change.
#pragma once

#include "lower/history.h"
#include "lower/requests.h"

namespace sb3lm {

/// check request: error = what is wrong with the request in `prompt tokens`, "" if nothing.
struct RequestCheck {
  blocks::Proc<> check;
  blocks::Var<blocks::Str> error;
};
RequestCheck emit_request_check(blocks::Sprite& engine, const ScriptParts& parts,
                                const Requests& requests, const History& history);

}  // namespace sb3lm
