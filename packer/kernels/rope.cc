// Rotary position embedding without trigonometry at run time (sin and cos blocks round differently
// in the two VMs): stored rotations by one position and by 64 positions are multiplied up.
#include "kernels/kernels.h"
#include "kernels/rope_constants.h"

namespace sb3lm {

using namespace blocks;

namespace {

constexpr int kReseedDoublings = 6, kReseed = 1 << kReseedDoublings;

struct Rotation {
  List<Num> cosine, sine;
};

Rotation empty_rotation(Sprite& engine, const RopeSpec& rope, const std::string& name) {
  const auto count = static_cast<std::size_t>(rope.dims / 2);
  return {engine.list<Num>("_cos " + name, {}, count), engine.list<Num>("_sin " + name, {}, count)};
}

Rotation stored_rotation(Sprite& engine, const RopeSpec& rope, const std::string& name,
                         int doublings) {
  const auto items = [](const std::vector<double>& values) {
    return std::vector<scratch::Scalar>(values.begin(), values.end());
  };
  const RopeConstants constants = rope_constants(rope, doublings);
  return {engine.list<Num>("_cos " + name, items(constants.cosine)),
          engine.list<Num>("_sin " + name, items(constants.sine))};
}

// Emits the two procedures over the variables that they share.
class RopeEmitter {
 public:
  RopeEmitter(Sprite& engine, const Workspace& w, const RopeSpec& rope, const std::string& name)
      : engine_(engine), w_(w), rope_(rope), name_(name) {}

  RopeBlocks emit(int head_size) {
    const auto advance = emit_advance();
    return {advance, emit_apply(head_size)};
  }

 private:
  Var<Num> local(const char* what, double value = 0) {
    return engine_.var<Num>("_rope " + name_ + " " + what, value);
  }

  template <class Body>
  void each_frequency(Script& s, Body body) const {
    s.set(j_, 1);
    s.repeat(half_, [&](Script& s) {
      body(s);
      s.change(j_, 1);
    });
  }

  // `to` = `from` turned by `by`; `from` and `to` may be the same.
  void turn(Script& s, const Rotation& from, const Rotation& by, const Rotation& to) const {
    s.set(c_, from.cosine[j_] * by.cosine[j_] - from.sine[j_] * by.sine[j_]);
    s.replace(to.sine, j_, from.sine[j_] * by.cosine[j_] + from.cosine[j_] * by.sine[j_]);
    s.replace(to.cosine, j_, c_ + 0);
  }

  void copy_anchor(Script& s) const {
    s.replace(now_.cosine, j_, anchor_.cosine[j_]);
    s.replace(now_.sine, j_, anchor_.sine[j_]);
  }

  void begin(Script& s) const {
    each_frequency(s, [&](Script& s) {
      s.replace(anchor_.cosine, j_, 1);
      s.replace(anchor_.sine, j_, 0);
      copy_anchor(s);
    });
  }

  void step_on(Script& s) const {
    s.when_else(
        mod(turned_, kReseed) == 0,
        [&](Script& s) {
          each_frequency(s, [&](Script& s) {
            turn(s, anchor_, far_, anchor_);
            copy_anchor(s);
          });
        },
        [&](Script& s) { each_frequency(s, [&](Script& s) { turn(s, now_, one_, now_); }); });
  }

  Proc<> emit_advance() {
    return engine_.define<>("rope " + name_ + " advance", {}, [&](Script& s) {
      s.when(turned_ > w_.position, [&](Script& s) { s.set(turned_, -1); });
      s.repeat_until(turned_ == w_.position, [&](Script& s) {
        s.change(turned_, 1);
        s.when_else(
            turned_ == 0, [&](Script& s) { begin(s); }, [&](Script& s) { step_on(s); });
      });
    });
  }

  Proc<Num, Num> emit_apply(int head_size) {
    const bool split = rope_.layout == RopeLayout::half_split;
    const int step = split ? 1 : 2, partner = split ? half_ : 1;
    return engine_.define<Num, Num>(
        "rope " + name_, {"at", "heads"}, [&](Script& s, Arg<Num> first, Arg<Num> heads) {
          s.set(at_, first + 0);
          s.repeat(heads, [&](Script& s) {
            each_frequency(s, [&](Script& s) {
              s.set(a_, w_.act[at_] + 0);
              s.set(c_, w_.act[at_ + partner] + 0);
              s.replace(w_.act, at_ + 0, a_ * now_.cosine[j_] - c_ * now_.sine[j_]);
              s.replace(w_.act, at_ + partner, a_ * now_.sine[j_] + c_ * now_.cosine[j_]);
              s.change(at_, step);
            });
            s.change(at_, head_size - half_ * step);
          });
        });
  }

  Sprite& engine_;
  const Workspace& w_;
  const RopeSpec& rope_;
  const std::string& name_;
  const int half_ = rope_.dims / 2;
  const Rotation now_ = empty_rotation(engine_, rope_, name_),
                 anchor_ = empty_rotation(engine_, rope_, name_ + " anchor"),
                 one_ = stored_rotation(engine_, rope_, name_ + " step", 0),
                 far_ = stored_rotation(engine_, rope_, name_ + " far step", kReseedDoublings);
  const Var<Num> j_ = local("j"), c_ = local("c"), at_ = local("at"), a_ = local("a"),
                 turned_ = local("turned", -1.0);  // position of `now`
};

}  // namespace

RopeBlocks emit_rope(Sprite& engine, const Workspace& w, const RopeSpec& rope, int head_size,
                     const std::string& name) {
  return RopeEmitter(engine, w, rope, name).emit(head_size);
}

}  // namespace sb3lm
