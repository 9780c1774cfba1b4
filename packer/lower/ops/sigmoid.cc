// The weight of a shared expert that has a gate: one number.
#include "lower/ops/op.h"

namespace sb3lm {

using namespace blocks;

namespace {

class SigmoidBlocks final : public OpBlocks {
 public:
  using OpBlocks::OpBlocks;

  void emit(Script& s, const Step& step, const Places& /*places*/) override {
    const Workspace& w = common_.w();
    s.call(common_.exp_blocks().exp, 0 - w.act[at(step.in[0])]);
    s.replace(w.act, at(step.out), 1 / (1 + w.exp));
  }
};

}  // namespace

std::unique_ptr<OpBlocks> make_sigmoid_blocks(CommonBlocks& common) {
  return std::make_unique<SigmoidBlocks>(common);
}

}  // namespace sb3lm
