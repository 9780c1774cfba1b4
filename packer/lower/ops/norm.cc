// RMSNorm, of a whole vector or of each of its heads; of what differs from the mean where it is
// centred.
#include <tuple>

#include "base/error.h"
#include "lower/ops/op.h"

namespace sb3lm {

using namespace blocks;

namespace {

class NormBlocks final : public OpBlocks {
 public:
  using OpBlocks::OpBlocks;

  void prepare(const Step& step) override {
    if (with(step).centred) centre(step);
    step.tensors.empty() ? plain(step) : weighted(step);
    if (step.tensors.size() > 1) common_.add_numbers();
    if (heads_of(step) > 1 && !at_) at_ = common_.engine().var<Num>("_norm at");
  }
  void emit(Script& s, const Step& step, const Places& places) override {
    if (heads_of(step) == 1) {
      norm_whole(s, step, places);
      return;
    }
    check(step.in[0] == step.out && !with(step).centred, "norms of heads are in place");
    s.set(*at_, at(step.out));
    s.repeat(heads_of(step), [&](Script& s) {
      norm(s, step, places, *at_ + 0, *at_ + 0);
      s.change(*at_, step.size / heads_of(step));
    });
  }

 private:
  using Norm = Proc<Num, Num, Num>;
  using Key = std::tuple<int, double, double>;  // size, eps, factor

  static const NormWith& with(const Step& step) { return std::get<NormWith>(step.with); }
  static int heads_of(const Step& step) { return with(step).heads; }
  static std::string name(const char* what, const std::string& number) {
    return number == "1" ? what : std::string(what) + " " + number;
  }

  void norm_whole(Script& s, const Step& step, const Places& places) {
    const bool centred = with(step).centred;
    if (centred) s.call(centre(step), at(step.in[0]), at(step.out));
    norm(s, step, places, at(centred ? step.out : step.in[0]), at(step.out));
    if (step.tensors.size() < 2) return;
    s.call(common_.add_numbers(), places.scales_of(layout_.at(step.tensors[1])), at(step.out),
           step.size);
  }

  void norm(Script& s, const Step& step, const Places& places, Expr<Num> in, Expr<Num> out) {
    if (step.tensors.empty()) {
      s.call(plain(step), std::move(in), with(step).factor, std::move(out));
    } else {
      s.call(weighted(step), std::move(in), places.scales_of(layout_.at(step.tensors[0])),
             std::move(out));
    }
  }

  const Norm& weighted(const Step& step) {
    const int size = step.size / heads_of(step);
    return weighted_.of({size, with(step).eps, with(step).factor}, [&](const std::string& number) {
      return emit_rmsnorm(common_.engine(), common_.w(), size, with(step).eps,
                          name("rmsnorm", number), with(step).factor);
    });
  }
  const Norm& plain(const Step& step) {
    const int size = step.size / heads_of(step);
    return plain_.of({size, with(step).eps, 1}, [&](const std::string& number) {
      return emit_plain_norm(common_.engine(), common_.w(), size, with(step).eps,
                             name("plain norm", number));
    });
  }

  const Proc<Num, Num>& centre(const Step& step) {
    return centres_.of(step.size, [&](const std::string& number) {
      return emit_centre(common_.engine(), common_.w(), step.size, name("centre", number));
    });
  }

  OneEach<Key, Norm> weighted_, plain_;
  OneEach<int, Proc<Num, Num>> centres_;
  std::optional<Var<Num>> at_;
};

}  // namespace

std::unique_ptr<OpBlocks> make_norm_blocks(CommonBlocks& common) {
  return std::make_unique<NormBlocks>(common);
}

}  // namespace sb3lm
