// The bend between a feed-forward's matrices.
#include "lower/ops/op.h"

namespace sb3lm {

using namespace blocks;

namespace {

class ActivateBlocks final : public OpBlocks {
 public:
  using OpBlocks::OpBlocks;

  void prepare(const Step& step) override {
    const Activation activation = activation_of(step);
    is_gated(step) ? void(common_.gate(activation)) : void(common_.activate(activation));
  }
  void emit(Script& s, const Step& step, const Places& /*places*/) override {
    if (is_gated(step)) {
      s.call(common_.gate(activation_of(step)), at(step.in[0]), at(step.in[1]), step.size);
    } else {
      s.call(common_.activate(activation_of(step)), at(step.in[0]), step.size);
    }
  }

 private:
  static bool is_gated(const Step& step) { return step.in.size() > 1; }
  static Activation activation_of(const Step& step) {
    return std::get<ActivateWith>(step.with).activation;
  }
};

}  // namespace

std::unique_ptr<OpBlocks> make_activate_blocks(CommonBlocks& common) {
  return std::make_unique<ActivateBlocks>(common);
}

}  // namespace sb3lm
