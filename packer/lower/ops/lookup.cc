// A token's row of a table.
#include "lower/ops/op.h"

namespace sb3lm {

using namespace blocks;

namespace {

class LookupBlocks final : public OpBlocks {
 public:
  using OpBlocks::OpBlocks;

  void prepare(const Step& step) override {
    if (back(step) > 0) common_.tokens();
  }
  void emit(Script& s, const Step& step, const Places& places) override {
    const TensorPlace& table = layout_.at(step.tensors[0]);
    if (back(step) == 0) {
      common_.matrices().look_up(s, table, places.token() + 0, at(step.out));
      return;
    }
    const Var<Num>& position = common_.w().position;
    s.when_else(
        position < back(step), [&](Script& s) { common_.clear(s, at(step.out), step.size); },
        [&](Script& s) {
          common_.matrices().look_up(s, table, common_.tokens()[position + (1 - back(step))],
                                     at(step.out));
        });
  }

 private:
  static int back(const Step& step) { return std::get<LookupWith>(step.with).back; }
};

}  // namespace

std::unique_ptr<OpBlocks> make_lookup_blocks(CommonBlocks& common) {
  return std::make_unique<LookupBlocks>(common);
}

}  // namespace sb3lm
