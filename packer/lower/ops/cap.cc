// A soft cap on every number of a vector.
#include "lower/ops/op.h"

namespace sb3lm {

using namespace blocks;

namespace {

class CapBlocks final : public OpBlocks {
 public:
  using OpBlocks::OpBlocks;

  void prepare(const Step& step) override { procs(step); }
  void emit(Script& s, const Step& step, const Places& /*places*/) override {
    s.call(procs(step), at(step.out), step.size);
  }

 private:
  using Cap = Proc<Num, Num>;  // first, count

  const Cap& procs(const Step& step) {
    const double cap = std::get<CapWith>(step.with).cap;
    return caps_.of(cap, [&](const std::string& number) { return emit_cap(cap, number); });
  }

  Cap emit_cap(double cap, const std::string& number) {
    const Workspace& w = common_.w();
    if (!tanh_) tanh_ = emit_tanh(common_.engine(), w, common_.exp_blocks());
    const auto at = common_.engine().var<Num>("_cap " + number + " at");
    return common_.engine().define<Num, Num>("cap " + number, {"first", "count"},
                                             [&](Script& s, Arg<Num> first, Arg<Num> count) {
                                               s.set(at, first + 0);
                                               s.repeat(count, [&](Script& s) {
                                                 s.call(*tanh_, w.act[at + 0] / cap);
                                                 s.replace(w.act, at + 0, w.exp * cap);
                                                 s.change(at, 1);
                                               });
                                             });
  }

  std::optional<Proc<Num>> tanh_;
  OneEach<double, Cap> caps_;
};

}  // namespace

std::unique_ptr<OpBlocks> make_cap_blocks(CommonBlocks& common) {
  return std::make_unique<CapBlocks>(common);
}

}  // namespace sb3lm
