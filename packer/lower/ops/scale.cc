// A vector times one number.
#include "lower/ops/op.h"

namespace sb3lm {

using namespace blocks;

namespace {

class ScaleBlocks final : public OpBlocks {
 public:
  using OpBlocks::OpBlocks;

  void prepare(const Step& /*step*/) override {
    if (!scale_) scale_ = emit_scale(common_.engine(), common_.w());
  }
  void emit(Script& s, const Step& step, const Places& /*places*/) override {
    s.call(*scale_, std::get<ScaleWith>(step.with).factor, at(step.out), step.size);
  }

 private:
  std::optional<Proc<Num, Num, Num>> scale_;
};

}  // namespace

std::unique_ptr<OpBlocks> make_scale_blocks(CommonBlocks& common) {
  return std::make_unique<ScaleBlocks>(common);
}

}  // namespace sb3lm
