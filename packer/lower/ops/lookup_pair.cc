// The row of a table that a token and the one before it choose.
#include "lower/ops/op.h"

namespace sb3lm {

using namespace blocks;

namespace {

class LookupPairBlocks final : public OpBlocks {
 public:
  using OpBlocks::OpBlocks;

  void prepare(const Step& step) override {
    common_.tokens();
    bigram(step);
  }
  void emit(Script& s, const Step& step, const Places& /*places*/) override {
    const int back = std::get<LookupWith>(step.with).back;
    const Var<Num>& position = common_.w().position;
    const auto token = [&](int further) {
      return common_.tokens()[position + (1 - back - further)];
    };
    const auto look_up = [&](Script& s) {
      common_.matrices().look_up(s, layout_.at(step.tensors[0]), common_.w().sum + 0, at(step.out));
    };
    s.when_else(
        position < back, [&](Script& s) { common_.clear(s, at(step.out), step.size); },
        [&](Script& s) {
          s.when_else(
              position == back, [&](Script& s) { s.call(bigram(step), token(0), -1); },
              [&](Script& s) { s.call(bigram(step), token(0), token(1)); });
          look_up(s);
        });
  }

 private:
  const Proc<Num, Num>& bigram(const Step& step) {
    const int buckets = layout_.at(step.tensors[0]).shape.rows;
    return bigrams_.of(buckets, [&](const std::string& number) {
      return emit_bigram(common_.engine(), common_.w(), buckets, "bigram " + number);
    });
  }

  OneEach<int, Proc<Num, Num>> bigrams_;
};

}  // namespace

std::unique_ptr<OpBlocks> make_lookup_pair_blocks(CommonBlocks& common) {
  return std::make_unique<LookupPairBlocks>(common);
}

}  // namespace sb3lm
