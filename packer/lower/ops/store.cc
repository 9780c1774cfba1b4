// Keys and values of this position into a pass's cache.
#include "lower/ops/op.h"

namespace sb3lm {

using namespace blocks;

namespace {

class StoreBlocks final : public OpBlocks {
 public:
  using OpBlocks::OpBlocks;

  void prepare(const Step& step) override { store(step); }
  void emit(Script& s, const Step& step, const Places& places) override {
    s.call(store(step), places.cache_at());
  }

 private:
  const Proc<Num>& store(const Step& step) {
    const StatePlace& state = layout_.state(step.state);
    const StoreShape shape{.width = state.width,
                           .span = state.span,
                           .wraps = state.wraps,
                           .k_at = at(step.in[0]),
                           .v_at = at(step.in[1])};
    return stores_.of(shape, [&](const std::string& number) {
      return emit_store(common_.engine(), common_.w(), shape, number);
    });
  }

  OneEach<StoreShape, Proc<Num>> stores_;
};

}  // namespace

std::unique_ptr<OpBlocks> make_store_blocks(CommonBlocks& common) {
  return std::make_unique<StoreBlocks>(common);
}

}  // namespace sb3lm
