// What lies along the own value leaves each head.
#include "lower/ops/op.h"

namespace sb3lm {

using namespace blocks;

namespace {

class ExcludeBlocks final : public OpBlocks {
 public:
  using OpBlocks::OpBlocks;

  void prepare(const Step& step) override { exclude(step); }
  void emit(Script& s, const Step& step, const Places& /*places*/) override {
    s.call(exclude(step));
  }

 private:
  const Proc<>& exclude(const Step& step) {
    const ExcludeShape shape{
        .with = std::get<ExcludeWith>(step.with), .v_at = at(step.in[0]), .out_at = at(step.out)};
    return procs_.of(shape, [&](const std::string& number) {
      return emit_exclude(common_.engine(), common_.w(), shape, number);
    });
  }

  OneEach<ExcludeShape, Proc<>> procs_;
};

}  // namespace

std::unique_ptr<OpBlocks> make_exclude_blocks(CommonBlocks& common) {
  return std::make_unique<ExcludeBlocks>(common);
}

}  // namespace sb3lm
