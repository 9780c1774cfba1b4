// A vector joins another.
#include "lower/ops/op.h"

namespace sb3lm {

using namespace blocks;

namespace {

class AddBlocks final : public OpBlocks {
 public:
  using OpBlocks::OpBlocks;

  void prepare(const Step& /*step*/) override { common_.add(); }
  void emit(Script& s, const Step& step, const Places& /*places*/) override {
    s.call(common_.add(), at(step.in[0]), 1, at(step.out), step.size);
  }
};

}  // namespace

std::unique_ptr<OpBlocks> make_add_blocks(CommonBlocks& common) {
  return std::make_unique<AddBlocks>(common);
}

}  // namespace sb3lm
