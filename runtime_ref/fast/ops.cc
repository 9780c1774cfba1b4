#include "runtime_ref/fast/ops.h"

namespace sb3lm::fast {

std::span<const OpRow> op_rows() {
  static constexpr OpRow kRows[] = {
      {StepOp::lookup, bind_lookup},   {StepOp::norm, bind_norm},
      {StepOp::add, bind_add},         {StepOp::activate, bind_activate},
      {StepOp::matrix, bind_matrix},   {StepOp::turn, bind_turn},
      {StepOp::store, bind_store},     {StepOp::attend, bind_attend},
      {StepOp::route, bind_route},     {StepOp::sigmoid, bind_sigmoid},
      {StepOp::experts, bind_experts}, {StepOp::cap, bind_cap},
  };
  return kRows;
}

}  // namespace sb3lm::fast
