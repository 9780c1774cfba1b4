// Attention over the positions that a pass's cache holds.
#include "lower/ops/op.h"

namespace sb3lm {

using namespace blocks;

namespace {

class AttendBlocks final : public OpBlocks {
 public:
  using OpBlocks::OpBlocks;

  void prepare(const Step& step) override { attend(step); }
  void emit(Script& s, const Step& step, const Places& places) override {
    s.call(attend(step), places.cache_at());
  }

 private:
  const Proc<Num>& attend(const Step& step) {
    const StatePlace& state = layout_.state(step.state);
    const AttendShape shape{.with = std::get<AttendWith>(step.with),
                            .span = state.span,
                            .wraps = state.wraps,
                            .q_at = at(step.in[0]),
                            .scores_at = layout_.act.scores,
                            .out_at = at(step.out)};
    return attentions_.of(shape, [&](const std::string& number) {
      ScoreBlocks on_scores{common_.exp_blocks(), {}};
      if (shape.with.score_cap > 0) {
        on_scores.cap = common_.cap(shape.with.score_cap / score_factor(shape.with));
      }
      return emit_attention(common_.engine(), common_.w(), on_scores, shape, number);
    });
  }

  OneEach<AttendShape, Proc<Num>> attentions_;
};

}  // namespace

std::unique_ptr<OpBlocks> make_attend_blocks(CommonBlocks& common) {
  return std::make_unique<AttendBlocks>(common);
}

}  // namespace sb3lm
