// Each head of a vector times a number of its own.
#include "lower/ops/op.h"

namespace sb3lm {

using namespace blocks;

namespace {

class GainBlocks final : public OpBlocks {
 public:
  using OpBlocks::OpBlocks;

  void prepare(const Step& /*step*/) override {
    if (!gain_) gain_ = emit_gain(common_.engine(), common_.w());
  }
  void emit(Script& s, const Step& step, const Places& places) override {
    const TensorPlace& numbers = layout_.at(step.tensors[0]);
    const int heads = numbers.shape.cols;
    s.call(*gain_, places.scales_of(numbers), at(step.out), heads, step.size / heads);
  }

 private:
  std::optional<AddProc> gain_;
};

}  // namespace

std::unique_ptr<OpBlocks> make_gain_blocks(CommonBlocks& common) {
  return std::make_unique<GainBlocks>(common);
}

}  // namespace sb3lm
