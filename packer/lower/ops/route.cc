// Which experts run, and with what weight.
#include "lower/ops/op.h"

namespace sb3lm {

using namespace blocks;

namespace {

class RouteBlocks final : public OpBlocks {
 public:
  using OpBlocks::OpBlocks;

  void prepare(const Step& step) override { route(step); }
  void emit(Script& s, const Step& step, const Places& /*places*/) override {
    s.call(route(step), at(step.in[0]), at(step.out));
  }

 private:
  const Proc<Num, Num>& route(const Step& step) {
    const auto& with = std::get<RouteWith>(step.with);
    return routers_.of(with, [&](const std::string& number) {
      return emit_router(common_.engine(), common_.w(), common_.exp_blocks(), with, number);
    });
  }

  OneEach<RouteWith, Proc<Num, Num>> routers_;
};

}  // namespace

std::unique_ptr<OpBlocks> make_route_blocks(CommonBlocks& common) {
  return std::make_unique<RouteBlocks>(common);
}

}  // namespace sb3lm
