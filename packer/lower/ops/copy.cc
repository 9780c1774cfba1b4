// A vector is kept as it is now.
#include "lower/ops/op.h"

namespace sb3lm {

using namespace blocks;

namespace {

class CopyBlocks final : public OpBlocks {
 public:
  using OpBlocks::OpBlocks;

  void prepare(const Step& /*step*/) override {
    if (!copy_) copy_ = emit_copy(common_.engine(), common_.w());
  }
  void emit(Script& s, const Step& step, const Places& /*places*/) override {
    s.call(*copy_, at(step.in[0]), at(step.out), step.size);
  }

 private:
  std::optional<Proc<Num, Num, Num>> copy_;
};

}  // namespace

std::unique_ptr<OpBlocks> make_copy_blocks(CommonBlocks& common) {
  return std::make_unique<CopyBlocks>(common);
}

}  // namespace sb3lm
