// A soft cap on every number of a vector.
#include "lower/ops/op.h"

namespace sb3lm {

using namespace blocks;

namespace {

class CapBlocks final : public OpBlocks {
 public:
  using OpBlocks::OpBlocks;

  void prepare(const Step& step) override { cap(step); }
  void emit(Script& s, const Step& step, const Places& /*places*/) override {
    s.call(cap(step), at(step.out), step.size);
  }

 private:
  const CapProc& cap(const Step& step) { return common_.cap(std::get<CapWith>(step.with).cap); }
};

}  // namespace

std::unique_ptr<OpBlocks> make_cap_blocks(CommonBlocks& common) {
  return std::make_unique<CapBlocks>(common);
}

}  // namespace sb3lm
