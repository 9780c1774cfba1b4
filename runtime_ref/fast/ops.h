// The operations, each in the file of its name.
#pragma once

#include "runtime_ref/fast/op.h"

namespace sb3lm::fast {

#define OP(name, ...) BindOp bind_##name;
#include "model/ops.def"
#undef OP

}  // namespace sb3lm::fast
