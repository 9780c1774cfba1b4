// RMSNorm.
#include "lower/ops/op.h"

namespace sb3lm {

using namespace blocks;

namespace {

class NormBlocks final : public OpBlocks {
 public:
  using OpBlocks::OpBlocks;

  void prepare(const Step& step) override { norm(step); }
  void emit(Script& s, const Step& step, const Places& places) override {
    s.call(norm(step), at(step.in[0]), places.scales_of(layout_.at(step.tensors[0])), at(step.out));
  }

 private:
  using Norm = Proc<Num, Num, Num>;
  const Norm& norm(const Step& step) {
    const double eps = std::get<NormWith>(step.with).eps;
    return norms_.of({step.size, eps}, [&](const std::string& number) {
      return emit_rmsnorm(common_.engine(), common_.w(), step.size, eps,
                          number == "1" ? "rmsnorm" : "rmsnorm " + number);
    });
  }

  OneEach<std::pair<int, double>, Norm> norms_;
};

}  // namespace

std::unique_ptr<OpBlocks> make_norm_blocks(CommonBlocks& common) {
  return std::make_unique<NormBlocks>(common);
}

}  // namespace sb3lm
