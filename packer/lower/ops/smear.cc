// Each item takes a share of the same item of the token before.
#include "lower/ops/op.h"

namespace sb3lm {

using namespace blocks;

namespace {

class SmearBlocks final : public OpBlocks {
 public:
  using OpBlocks::OpBlocks;

  void prepare(const Step& /*step*/) override {
    if (!smear_) smear_ = emit_smear(common_.engine(), common_.w(), common_.exp_blocks());
  }
  void emit(Script& s, const Step& step, const Places& places) override {
    s.call(*smear_, places.scales_of(layout_.at(step.tensors[0])), at(step.in[0]), at(step.out),
           step.size);
  }

 private:
  std::optional<AddProc> smear_;
};

}  // namespace

std::unique_ptr<OpBlocks> make_smear_blocks(CommonBlocks& common) {
  return std::make_unique<SmearBlocks>(common);
}

}  // namespace sb3lm
