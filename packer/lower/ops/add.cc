// A vector joins another, as it is or times numbers of the model.
#include "lower/ops/op.h"

namespace sb3lm {

using namespace blocks;

namespace {

class AddBlocks final : public OpBlocks {
 public:
  using OpBlocks::OpBlocks;

  void prepare(const Step& step) override {
    if (!is_by_item(step)) {
      common_.add();
    } else if (!scaled_) {
      scaled_ = emit_add_scaled(common_.engine(), common_.w());
    }
  }
  void emit(Script& s, const Step& step, const Places& places) override {
    if (is_by_item(step)) {
      s.call(*scaled_, at(step.in[0]), places.scales_of(layout_.at(step.tensors[0])), at(step.out),
             step.size);
      return;
    }
    s.call(common_.add(), at(step.in[0]), factor(step, places), at(step.out), step.size);
  }

 private:
  // One number for each item; else one number for all of them, of each tensor.
  bool is_by_item(const Step& step) const {
    return step.tensors.size() == 1 && layout_.at(step.tensors[0]).shape.cols > 1;
  }
  Expr<Num> factor(const Step& step, const Places& places) const {
    Expr<Num> product = 1;
    for (std::size_t i = 0; i < step.tensors.size(); ++i) {
      Expr<Num> number = common_.w().scales[places.scales_of(layout_.at(step.tensors[i]))];
      product = i == 0 ? std::move(number) : std::move(product) * std::move(number);
    }
    return product;
  }

  std::optional<AddProc> scaled_;
};

}  // namespace

std::unique_ptr<OpBlocks> make_add_blocks(CommonBlocks& common) {
  return std::make_unique<AddBlocks>(common);
}

}  // namespace sb3lm
