// A token's row of the embedding.
#include "lower/ops/op.h"

namespace sb3lm {

using namespace blocks;

namespace {

class LookupBlocks final : public OpBlocks {
 public:
  using OpBlocks::OpBlocks;

  void emit(Script& s, const Step& step, const Places& places) override {
    common_.matrices().look_up(s, layout_.at(step.tensors[0]), places.token(), at(step.out));
  }
};

}  // namespace

std::unique_ptr<OpBlocks> make_lookup_blocks(CommonBlocks& common) {
  return std::make_unique<LookupBlocks>(common);
}

}  // namespace sb3lm
