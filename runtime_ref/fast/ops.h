// The operations, each in the file of its name.
#pragma once

#include "runtime_ref/fast/op.h"

namespace sb3lm::fast {

BindOp bind_lookup, bind_norm, bind_add, bind_activate, bind_matrix, bind_turn, bind_store,
    bind_attend, bind_route, bind_sigmoid, bind_experts;

}  // namespace sb3lm::fast
