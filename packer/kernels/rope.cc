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

}  // namespace

RopeBlocks emit_rope(Sprite& engine, const Workspace& w, const RopeSpec& rope, int head_size,
                     const std::string& name) {
  const Rotation now = empty_rotation(engine, rope, name),
                 anchor = empty_rotation(engine, rope, name + " anchor"),
                 one = stored_rotation(engine, rope, name + " step", 0),
                 far = stored_rotation(engine, rope, name + " far step", kReseedDoublings);
  const auto j = engine.var<Num>("_rope " + name + " j"),
             c = engine.var<Num>("_rope " + name + " c"),
             at = engine.var<Num>("_rope " + name + " at"),
             a = engine.var<Num>("_rope " + name + " a"),
             turned = engine.var<Num>("_rope " + name + " turned", -1.0);  // position of `now`
  const int half = rope.dims / 2;

  // `to` = `from` turned by `by`; `from` and `to` may be the same.
  const auto turn = [&](Script& s, const Rotation& from, const Rotation& by, const Rotation& to) {
    s.set(c, from.cosine[j] * by.cosine[j] - from.sine[j] * by.sine[j]);
    s.replace(to.sine, j, from.sine[j] * by.cosine[j] + from.cosine[j] * by.sine[j]);
    s.replace(to.cosine, j, c + 0);
  };
  const auto each_frequency = [&](Script& s, auto body) {
    s.set(j, 1);
    s.repeat(half, [&](Script& s) {
      body(s);
      s.change(j, 1);
    });
  };
  const auto copy_anchor = [&](Script& s) {
    s.replace(now.cosine, j, anchor.cosine[j]);
    s.replace(now.sine, j, anchor.sine[j]);
  };
  const auto begin = [&](Script& s) {
    each_frequency(s, [&](Script& s) {
      s.replace(anchor.cosine, j, 1);
      s.replace(anchor.sine, j, 0);
      copy_anchor(s);
    });
  };
  const auto step_on = [&](Script& s) {
    s.when_else(
        mod(turned, kReseed) == 0,
        [&](Script& s) {
          each_frequency(s, [&](Script& s) {
            turn(s, anchor, far, anchor);
            copy_anchor(s);
          });
        },
        [&](Script& s) { each_frequency(s, [&](Script& s) { turn(s, now, one, now); }); });
  };
  const auto advance = engine.define<>("rope " + name + " advance", {}, [&](Script& s) {
    s.when(turned > w.position, [&](Script& s) { s.set(turned, -1); });
    s.repeat_until(turned == w.position, [&](Script& s) {
      s.change(turned, 1);
      s.when_else(turned == 0, begin, step_on);
    });
  });

  const bool split = rope.layout == RopeLayout::half_split;
  const int step = split ? 1 : 2, partner = split ? half : 1;
  const auto apply = engine.define<Num, Num>(
      "rope " + name, {"at", "heads"}, [&](Script& s, Arg<Num> first, Arg<Num> heads) {
        s.set(at, first + 0);
        s.repeat(heads, [&](Script& s) {
          s.set(j, 1);
          s.repeat(half, [&](Script& s) {
            s.set(a, w.act[at] + 0);
            s.set(c, w.act[at + partner] + 0);
            s.replace(w.act, at + 0, a * now.cosine[j] - c * now.sine[j]);
            s.replace(w.act, at + partner, a * now.sine[j] + c * now.cosine[j]);
            s.change(at, step);
            s.change(j, 1);
          });
          s.change(at, head_size - half * step);
        });
      });
  return {advance, apply};
}

}  // namespace sb3lm
