// Two vectors become one, item by item.
#include "lower/ops/op.h"

namespace sb3lm {

using namespace blocks;

namespace {

class MixBlocks final : public OpBlocks {
 public:
  using OpBlocks::OpBlocks;

  void prepare(const Step& /*step*/) override {
    if (!mix_) mix_ = emit_mix(common_.engine(), common_.w());
  }
  void emit(Script& s, const Step& step, const Places& places) override {
    s.call(*mix_, places.scales_of(layout_.at(step.tensors[0])),
           places.scales_of(layout_.at(step.tensors[1])), at(step.in[0]), at(step.out), step.size);
  }

 private:
  std::optional<MixProc> mix_;
};

}  // namespace

std::unique_ptr<OpBlocks> make_mix_blocks(CommonBlocks& common) {
  return std::make_unique<MixBlocks>(common);
}

}  // namespace sb3lm
