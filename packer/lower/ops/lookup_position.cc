// A position's row of a table.
#include "lower/ops/op.h"

namespace sb3lm {

using namespace blocks;

namespace {

class LookupPositionBlocks final : public OpBlocks {
 public:
  using OpBlocks::OpBlocks;

  void emit(Script& s, const Step& step, const Places& /*places*/) override {
    const int back = std::get<LookupWith>(step.with).back;
    const Var<Num>& position = common_.w().position;
    const auto look_up = [&](Script& s) {
      common_.matrices().look_up(s, layout_.at(step.tensors[0]), position - back, at(step.out));
    };
    if (back == 0) {
      look_up(s);
      return;
    }
    s.when_else(
        position < back, [&](Script& s) { common_.clear(s, at(step.out), step.size); }, look_up);
  }
};

}  // namespace

std::unique_ptr<OpBlocks> make_lookup_position_blocks(CommonBlocks& common) {
  return std::make_unique<LookupPositionBlocks>(common);
}

}  // namespace sb3lm
