// Rotary position embedding.
#include "lower/ops/op.h"

namespace sb3lm {

using namespace blocks;

namespace {

class TurnBlocks final : public OpBlocks {
 public:
  using OpBlocks::OpBlocks;

  void prepare(const Step& step) override { rope(step); }
  void start_token(Script& s) const override {
    for (const auto& [with, rope] : ropes_) s.call(rope.advance);
  }
  void emit(Script& s, const Step& step, const Places& /*places*/) override {
    s.call(rope(step).apply, at(step.out), step.size / std::get<TurnWith>(step.with).head_size);
  }

 private:
  const RopeBlocks& rope(const Step& step) {
    const auto& with = std::get<TurnWith>(step.with);
    return ropes_.of(with, [&](const std::string& number) {
      return emit_rope(common_.engine(), common_.w(), with.rope, with.head_size, number);
    });
  }

  OneEach<TurnWith, RopeBlocks> ropes_;
};

}  // namespace

std::unique_ptr<OpBlocks> make_turn_blocks(CommonBlocks& common) {
  return std::make_unique<TurnBlocks>(common);
}

}  // namespace sb3lm
