#include "runtime_ref/fast/ops.h"

namespace sb3lm::fast {

std::span<const OpRow> op_rows() {
  static constexpr OpRow kRows[] = {
      {StepOp::lookup, bind_lookup},
      {StepOp::lookup_position, bind_lookup_position},
      {StepOp::scale, bind_scale},
      {StepOp::norm, bind_norm},
      {StepOp::add, bind_add},
      {StepOp::activate, bind_activate},
      {StepOp::lookup_pair, bind_lookup_pair},
      {StepOp::copy, bind_copy},
      {StepOp::mix, bind_mix},
      {StepOp::smear, bind_smear},
      {StepOp::gain, bind_gain},
      {StepOp::exclude, bind_exclude},
      {StepOp::matrix, bind_matrix},
      {StepOp::turn, bind_turn},
      {StepOp::store, bind_store},
      {StepOp::attend, bind_attend},
      {StepOp::route, bind_route},
      {StepOp::sigmoid, bind_sigmoid},
      {StepOp::experts, bind_experts},
      {StepOp::cap, bind_cap},
  };
  return kRows;
}

}  // namespace sb3lm::fast
