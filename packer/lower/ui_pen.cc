// Strokes lie in two lists of coordinates; a point whose x is moved by kLift begins a stroke.
// Curves become short lines while unpacking, so that drawing is one loop.
#include "lower/ui_pen.h"

#include <algorithm>

#include "base/error.h"
#include "model/unicode.h"

namespace sb3lm {
namespace {

using namespace blocks;
using scratch::Scalar;

constexpr int kLift = 100;
constexpr int kBaseline = 4;      // y of the font's file
constexpr int kCurveSteps = 3;    // lines for one piece of a curve: 0.1 pixels off at this size
constexpr double kTextPen = 1.5;  // pixels
constexpr int kCapitalRaise = 3;  // of marks, in units of the font
constexpr const char* kDot = "dot.svg";
constexpr const char* kDotSvg =
    R"(<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"></svg>)";
constexpr const char* kNoLetter = "Screen";  // the costume that stands for no capital

class PenEmitter {
 public:
  PenEmitter(Sprite& sprite, const StrokeFont& font) : sprite_(sprite), font_(font) {
    for (const auto* list : {&widths_, &first_, &xs_, &ys_, &codes_}) sprite.list<Num>(list->name);
    sprite.list<Str>(letters_.name);
    sprite.list<Str>(shapes_.name, {font.shapes.begin(), font.shapes.end()});
    for (const auto* variable : {&glyph_, &scale_, &x_, &y_, &at_}) sprite.var<Num>(variable->name);
    add_costumes();
  }

  PenText emit() {
    const auto unpack_letters = emit_unpack_letters();
    const auto unpack_shapes = emit_unpack_shapes();
    const auto unpack = sprite_.define<>("unpack font", {}, [&](Script& s) {
      s.call(unpack_letters);
      s.call(unpack_shapes);
    });
    const auto find = emit_find();
    const auto draw = emit_draw();
    ink_ = emit_ink();
    const auto write = emit_write(find, draw);
    return {glyph_, x_, y_, widths_, unpack, find, draw, ink_, write, emit_bar(), others_at() + 1};
  }

 private:
  void add_costumes() {
    sprite_.program().assets[kDot] = kDotSvg;
    auto& costumes = sprite_.target().costumes;
    costumes.push_back({kNoLetter, kDot});
    for (const std::string& letter : font_.capitals) costumes.push_back({letter, kDot});
  }

  int others_at() const { return 2 * font_.cased; }
  int shape_count() const { return static_cast<int>(font_.shapes.size()); }

  // Letters with their codes: small ones, accented ones, then those without a capital.
  Proc<> emit_unpack_letters() {
    const auto mark = sprite_.var<Num>("_font mark");
    const auto add = [&](Script& s, const std::string& letters, Expr<Num> code) {
      s.append(letters_, letter(at_, letters));
      s.append(codes_, std::move(code));
    };
    return sprite_.define<>("unpack letters", {}, [&](Script& s) {
      s.clear(letters_);
      s.clear(codes_);
      s.set(at_, 1);
      s.repeat(font_.cased, [&](Script& s) {
        add(s, font_.small, at_);
        s.change(at_, 1);
      });
      s.set(mark, font_.first_mark);
      s.set(at_, 1);
      s.repeat_until(at_ > length(font_.accented), [&](Script& s) {
        s.when_else(
            same_text(letter(at_, font_.accented), " "),
            [&](Script& s) {
              s.change(mark, 1);
              s.change(at_, 1);
            },
            [&](Script& s) {
              add(s, font_.accented,
                  letters_.index_of(letter(at_ + 1, font_.accented)) + mark * PenText::kMark);
              s.change(at_, 2);
            });
      });
      s.set(at_, 1);
      s.repeat(length(font_.others), [&](Script& s) {
        add(s, font_.others, at_ + others_at());
        s.change(at_, 1);
      });
    });
  }

  // An item of the list: a shape's width, then its strokes between spaces.
  Expr<Str> shape_text() const { return shapes_[shape_ + 0]; }
  Expr<Num> hex(Expr<Num> place) const {
    return to_num(join("0x", letter(std::move(place), shape_text())));
  }

  Proc<> emit_unpack_stroke() {
    const auto curved = sprite_.var<Num>("_font curved");
    const auto bend = emit_bend();
    const auto read_point = sprite_.define<>("read point", {}, [&](Script& s) {
      s.set(to_x_, hex(at_));
      s.set(to_y_, hex(at_ + 1) - kBaseline);
      s.change(at_, 2);
    });
    const auto add = [&](Script& s, Expr<Num> px) {
      s.append(xs_, std::move(px));
      s.append(ys_, to_y_);
    };
    const auto aim = [&](Script& s) {
      s.set(by_x_, to_x_);
      s.set(by_y_, to_y_);
    };
    const auto next_point = [&](Script& s) {
      s.call(read_point);
      s.when_else(
          curved == 0, [&](Script& s) { add(s, to_x_); },
          [&](Script& s) {
            s.when_else(
                same_text(letter(at_, shape_text()), " "),
                [&](Script& s) { s.call(bend, to_x_, to_y_); },
                [&](Script& s) { s.call(bend, (by_x_ + to_x_) / 2, (by_y_ + to_y_) / 2); });
            aim(s);
          });
    };
    return sprite_.define<>("unpack stroke", {}, [&](Script& s) {
      s.set(curved, 0);
      s.when(same_text(letter(at_, shape_text()), "~"), [&](Script& s) {
        s.set(curved, 1);
        s.change(at_, 1);
      });
      s.call(read_point);
      add(s, to_x_ + kLift);
      s.set(from_x_, to_x_);
      s.set(from_y_, to_y_);
      s.when(curved == 1, [&](Script& s) {
        s.call(read_point);
        aim(s);
      });
      s.repeat_until(same_text(letter(at_, shape_text()), " "), next_point);
    });
  }

  Proc<> emit_unpack_shapes() {
    sprite_.var<Num>(shape_.name);
    const auto stroke = emit_unpack_stroke();
    return sprite_.define<>("unpack shapes", {}, [&](Script& s) {
      for (const auto* list : {&widths_, &first_, &xs_, &ys_}) s.clear(*list);
      s.set(shape_, 1);
      s.repeat(shape_count(), [&](Script& s) {
        s.append(first_, xs_.length() + 1);
        s.append(widths_, hex(1));
        s.set(at_, 2);
        s.repeat_until(at_ == length(shape_text()), [&](Script& s) {
          s.change(at_, 1);
          s.call(stroke);
        });
        s.change(shape_, 1);
      });
      s.append(first_, xs_.length() + 1);
    });
  }

  // A piece of a curve, from `from` to the given point by way of `by`.
  Proc<Num, Num> emit_bend() {
    for (const auto* variable : {&from_x_, &from_y_, &by_x_, &by_y_, &to_x_, &to_y_}) {
      sprite_.var<Num>(variable->name);
    }
    const auto t = sprite_.var<Num>("_font t");
    const auto between = [&](const Var<Num>& from, const Var<Num>& by, const Arg<Num>& to) {
      return from + t * ((by - from) * 2 + t * (from - by * 2 + to));
    };
    return sprite_.define<Num, Num>("bend to", {"x", "y"},
                                    [&](Script& s, Arg<Num> to_x, Arg<Num> to_y) {
                                      s.set(t, 0);
                                      s.repeat(kCurveSteps, [&](Script& s) {
                                        s.change(t, 1.0 / kCurveSteps);
                                        s.append(xs_, between(from_x_, by_x_, to_x));
                                        s.append(ys_, between(from_y_, by_y_, to_y));
                                      });
                                      s.set(from_x_, to_x + 0);
                                      s.set(from_y_, to_y + 0);
                                    });
  }

  // A letter that the font lacks is a box; both halves of one beyond U+FFFF together are a face.
  Proc<Str> emit_find() {
    const auto half = sprite_.var<Num>("_half letter");
    const int entries = font_.cased + font_.accented_count;
    const auto entry_of = [&](std::string_view text) {
      std::vector<char32_t> points, wanted;
      decode_utf8(font_.others, points);
      decode_utf8(text, wanted);
      const auto found = std::find(points.begin(), points.end(), wanted[0]);
      check(found != points.end(), "a letter that the font must have");
      return static_cast<double>(entries + (found - points.begin()) + 1);
    };
    return sprite_.define<Str>("find glyph", {"letter"}, [&](Script& s, Arg<Str> one) {
      s.set(at_, letters_.index_of(one));
      s.when(at_ == 0, [&](Script& s) {
        s.set(at_, entry_of("\xEF\xBF\xBD"));
        s.when(is_surrogate(one), [&](Script& s) {
          s.set(half, 1 - half);
          s.set(at_, entry_of("\xE2\x80\x8D"));  // joins letters, has no width
          s.when(half == 1, [&](Script& s) { s.set(at_, entry_of("\xE2\x98\xBA")); });
        });
      });
      s.set(glyph_, codes_[at_] + 0);
      s.when(at_ < entries + 1, [&](Script& s) {
        switch_to_capital(s, one);
        s.when(costume_number() > 1, [&](Script& s) { s.change(glyph_, font_.cased); });
      });
    });
  }

  Proc<Num> emit_draw() {
    const auto shape = sprite_.var<Num>("_draw shape"), mark = sprite_.var<Num>("_draw mark"),
               raise = sprite_.var<Num>("_draw raise");
    const auto strokes = emit_strokes();
    const auto is_capital = [&] { return shape > font_.cased && shape < others_at() + 1; };
    return sprite_.define<Num>("draw glyph", {"glyph"}, [&](Script& s, Arg<Num> code) {
      s.set(shape, mod(code, PenText::kMark));
      s.call(strokes, shape, 0, 0);
      s.set(mark, floor(code / PenText::kMark));
      s.when(mark > 0, [&](Script& s) {
        s.set(raise, 0);
        s.when(is_capital() && mark < font_.first_low_mark,
               [&](Script& s) { s.set(raise, kCapitalRaise); });
        s.call(strokes, mark, (widths_[shape + 0] - widths_[mark + 0]) / 2, raise);
      });
      s.change(x_, widths_[shape + 0] * scale_);
    });
  }

  Proc<Num, Num, Num> emit_strokes() {
    const auto at = sprite_.var<Num>("_stroke at"), px = sprite_.var<Num>("_stroke x");
    return sprite_.define<Num, Num, Num>(
        "draw strokes", {"shape", "dx", "dy"},
        [&](Script& s, Arg<Num> shape, Arg<Num> dx, Arg<Num> dy) {
          s.set(at, first_[shape + 0] + 0);
          s.repeat(first_[shape + 1] - at, [&](Script& s) {
            s.set(px, xs_[at + 0] + 0);
            s.when(px > kLift - 1, [&](Script& s) { s.pen_up(); });
            s.go_to(x_ + (mod(px, kLift) + dx) * scale_, y_ + (ys_[at + 0] + dy) * scale_);
            s.when(px > kLift - 1, [&](Script& s) { s.pen_down(); });
            s.change(at, 1);
          });
          s.pen_up();
        });
  }

  PenText::Write emit_write(const Proc<Str>& find, const Proc<Num>& draw) {
    const auto line = sprite_.list<Num>("_written");
    const auto at = sprite_.var<Num>("_write at"), width = sprite_.var<Num>("_write width");
    return sprite_.define<Str, Str, Num, Num, Num>(
        "write", {"text", "color", "x", "y", "anchor"},
        [&](Script& s, Arg<Str> text, Arg<Str> color, Arg<Num> left, Arg<Num> middle,
            Arg<Num> anchor) {
          s.call(ink_, color);
          s.clear(line);
          s.set(width, 0);
          s.set(at, 1);
          s.repeat(length(text), [&](Script& s) {
            s.call(find, letter(at, text));
            s.append(line, glyph_);
            s.change(width, widths_[mod(glyph_, PenText::kMark)] * scale_);
            s.change(at, 1);
          });
          s.set(x_, left - width * anchor);
          s.set(y_, middle - PenText::kDrop);
          s.set(at, 1);
          s.repeat(line.length(), [&](Script& s) {
            s.call(draw, line[at + 0] + 0);
            s.change(at, 1);
          });
        });
  }

  // What letters are drawn with.
  Proc<Str> emit_ink() {
    return sprite_.define<Str>("take ink", {"color"}, [&](Script& s, Arg<Str> color) {
      s.set(scale_, PenText::kScale);
      s.pen_size(kTextPen);
      s.pen_color(color);
    });
  }

  PenText::Bar emit_bar() {
    return sprite_.define<Str, Num, Num, Num, Num, Num>(
        "draw bar", {"color", "size", "x1", "y1", "x2", "y2"},
        [&](Script& s, Arg<Str> color, Arg<Num> size, Arg<Num> x1, Arg<Num> y1, Arg<Num> x2,
            Arg<Num> y2) {
          s.pen_color(color);
          s.pen_size(size);
          s.go_to(x1, y1);
          s.pen_down();
          s.go_to(x2, y2);
          s.pen_up();
        });
  }

  static Expr<Bool> is_surrogate(const Arg<Str>& one) {
    return text_before(utf8(0xD7FF), one) && text_before(one, utf8(0xE000));
  }

  Sprite& sprite_;
  const StrokeFont& font_;
  Proc<Str> ink_;
  List<Str> letters_{"_font letters"}, shapes_{"_font shapes"};
  List<Num> codes_{"_font codes"}, widths_{"_font widths"}, first_{"_font first"}, xs_{"_font x"},
      ys_{"_font y"};
  Var<Num> glyph_{"_pen glyph"}, scale_{"_text scale"}, x_{"_pen x"}, y_{"_pen y"}, at_{"_font at"};
  Var<Num> from_x_{"_from x"}, from_y_{"_from y"}, by_x_{"_by x"}, by_y_{"_by y"}, to_x_{"_to x"},
      to_y_{"_to y"}, shape_{"_font shape"};
};

}  // namespace

void switch_to_capital(Script& s, Expr<Str> letter) {
  s.switch_costume(kNoLetter);
  s.switch_costume(std::move(letter));  // a name that is not found changes nothing
}

PenText emit_pen_text(Sprite& sprite, const StrokeFont& font) {
  return PenEmitter(sprite, font).emit();
}

}  // namespace sb3lm
