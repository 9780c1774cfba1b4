// The bend between a feed-forward's matrices.
#include "lower/ops/op.h"

namespace sb3lm {

using namespace blocks;

namespace {

class ActivateBlocks final : public OpBlocks {
 public:
  using OpBlocks::OpBlocks;

  void prepare(const Step& /*step*/) override { common_.swiglu(); }
  void emit(Script& s, const Step& step, const Places& /*places*/) override {
    s.call(common_.swiglu(), at(step.in[0]), at(step.in[1]), step.size);
  }
};

}  // namespace

std::unique_ptr<OpBlocks> make_activate_blocks(CommonBlocks& common) {
  return std::make_unique<ActivateBlocks>(common);
}

}  // namespace sb3lm
