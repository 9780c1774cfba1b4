// A matrix times a vector, whose table is there if it needs one.
#include "lower/ops/op.h"

namespace sb3lm {

using namespace blocks;

namespace {

class MatrixStepBlocks final : public OpBlocks {
 public:
  using OpBlocks::OpBlocks;

  void prepare(const Step& step) override {
    if (step.tensors.size() > 1) common_.add_numbers();
  }
  void emit(Script& s, const Step& step, const Places& places) override {
    const TensorPlace& m = layout_.at(step.tensors[0]);
    common_.matrices().multiply(s, m, places.codes_of(m), places.scales_of(m), at(step.in[0]),
                                at(step.out));
    if (step.tensors.size() == 1) return;
    s.call(common_.add_numbers(), places.scales_of(layout_.at(step.tensors[1])), at(step.out),
           step.size);
  }
};

}  // namespace

std::unique_ptr<OpBlocks> make_matrix_blocks(CommonBlocks& common) {
  return std::make_unique<MatrixStepBlocks>(common);
}

}  // namespace sb3lm
