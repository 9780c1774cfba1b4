#include "lower/ui_settings.h"

#include "lower/ui_texts.h"

namespace sb3lm {
namespace {

using namespace blocks;
using scratch::Scalar;

// In the order of the rows.
struct Setting {
  const char* variable;
  double least, most, step;
};
constexpr Setting kSettings[] = {
    {"temperature", 0, 2, 0.1},      {"top k", 0, 100, 1},
    {"top p", 0.05, 1, 0.05},        {"repetition penalty", 1, 2, 0.05},
    {"max new tokens", 10, 500, 10}, {"seed", 1, 1000, 1},
};
constexpr int kRows = 6, kSeedRow = 6;
constexpr int kFields = 3;
constexpr double kSeeds = 999983;  // what `surprise me` chooses from

constexpr double kFirstY = 112, kRowHeight = 32;
constexpr double kLeft = -124, kRight = 222;  // of the slider's knob
constexpr double kTrackDrop = 9;              // of the slider below the middle of its row
constexpr double kTextRaise = 1;
constexpr double kTextScale = 0.84, kTextPen = 1.5;
constexpr const char *kPaper = "#ffffff", *kChosen = "#e3eafa", *kTrack = "#c3cfe8",
                     *kKnob = "#4b6cb0", *kText = "#22304f", *kHelp = "#6f7fa3";

class SettingsEmitter {
 public:
  SettingsEmitter(Sprite& sprite, const PenText& pen) : sprite_(sprite), pen_(pen) {
    std::vector<Scalar> ranges;
    for (const Setting& setting : kSettings) {
      for (const double field : {setting.least, setting.most, setting.step}) {
        ranges.emplace_back(field);
      }
    }
    sprite.list<Num>(ranges_.name, std::move(ranges));
    sprite.list<Num>(values_.name);
    sprite.var<Num>(row_.name, 1.0);
    sprite.var<Num>(at_.name);
  }

  SettingsBlocks emit() {
    const auto read = sprite_.define<>("read settings", {}, [&](Script& s) {
      s.clear(values_);
      for (const Setting& setting : kSettings) s.append(values_, Var<Num>(setting.variable) + 0);
    });
    const auto draw_row = emit_draw_row();
    const auto draw = sprite_.define<>("draw settings", {}, [&](Script& s) {
      s.set(at_, 1);
      s.repeat(kRows, [&](Script& s) {
        s.call(draw_row, at_);
        s.change(at_, 1);
      });
      s.pen_color(kHelp);
      s.call(pen_.write, ui_text(UiText::settings_help), kLeft - 6,
             kFirstY - kRows * kRowHeight - 3, 0);
    });
    const auto put = emit_put(draw_row);
    const auto drag = emit_drag(draw_row, put);
    const auto choose = sprite_.define<Num>("choose setting", {"by"}, [&](Script& s, Arg<Num> by) {
      s.set(at_, row_);
      s.set(row_, mod(row_ + by - 1, kRows) + 1);
      s.call(draw_row, at_);
      s.call(draw_row, row_);
    });
    const auto change = sprite_.define<Num>(
        "change setting", {"steps"},
        [&](Script& s, Arg<Num> by) { s.call(put, values_[row_ + 0] + by * range(2), 1); });
    const auto surprise = sprite_.define<>("surprise me", {}, [&](Script& s) {
      s.set(at_, row_);
      s.set(row_, kSeedRow);
      s.call(draw_row, at_);
      s.call(put, mod(floor(milliseconds()), kSeeds) + 1, 0);
    });
    return {read, draw, drag, surprise, choose, change};
  }

 private:
  // Of the chosen row: least, most, step.
  Expr<Num> range(int k) const { return ranges_[row_ * kFields + (k + 1 - kFields)] + 0; }

  static Expr<Num> y_of(Expr<Num> row) {
    return kFirstY + kRowHeight - std::move(row) * kRowHeight;
  }

  Proc<Num> emit_draw_row() {
    const auto row = sprite_.var<Num>("_setting drawn"), y = sprite_.var<Num>("_setting y"),
               knob = sprite_.var<Num>("_setting knob");
    const auto line = [&](Script& s, const char* color, double size, Expr<Num> to, double drop) {
      s.pen_color(color);
      s.pen_size(size);
      s.go_to(kLeft, y - drop);
      s.pen_down();
      s.go_to(std::move(to), y - drop);
      s.pen_up();
    };
    return sprite_.define<Num>("draw setting", {"row"}, [&](Script& s, Arg<Num> which) {
      s.set(row, which + 0);
      s.set(y, y_of(row));
      line(s, kPaper, kRowHeight - 2, kRight, 0);
      s.when(row == row_, [&](Script& s) { line(s, kChosen, kRowHeight - 2, kRight, 0); });
      line(s, kTrack, 4, kRight, kTrackDrop);
      const auto field = [&](int k) { return ranges_[row * kFields + (k + 1 - kFields)] + 0; };
      s.set(knob, kLeft + (values_[row + 0] - field(0)) * (kRight - kLeft) / (field(1) - field(0)));
      s.when(knob > kRight, [&](Script& s) { s.set(knob, kRight); });
      s.when(knob < kLeft, [&](Script& s) { s.set(knob, kLeft); });
      line(s, kKnob, 4, knob, kTrackDrop);
      s.pen_size(11);
      s.pen_down();
      s.pen_up();
      s.pen_color(kText);
      s.pen_size(kTextPen);
      s.set(pen_.scale, kTextScale);
      const int first = place_of(UiText::temperature);
      s.call(pen_.write, List<Str>(kUiTexts)[row + (first - 1)], kLeft - 6, y + kTextRaise, 0);
      s.call(pen_.write, to_str(values_[row + 0] + 0), kRight + 6, y + kTextRaise, 1);
    });
  }

  // put (value) (whether it is kept inside its range)
  Proc<Num, Num> emit_put(const Proc<Num>& draw_row) {
    const auto value = sprite_.var<Num>("_setting value");
    return sprite_.define<Num, Num>(
        "put setting", {"value", "bound"}, [&](Script& s, Arg<Num> wanted, Arg<Num> bound) {
          // Steps are hundredths, which numbers do not hold exactly.
          s.set(value, round(round(wanted / range(2)) * range(2) * 100) / 100);
          s.when(bound == 1 && value > range(1), [&](Script& s) { s.set(value, range(1)); });
          s.when(value < range(0), [&](Script& s) { s.set(value, range(0)); });
          s.replace(values_, row_ + 0, value);
          for (int i = 0; i < kRows; ++i) {
            s.set(Var<Num>(kSettings[i].variable), values_[i + 1] + 0);
          }
          s.call(draw_row, row_);
        });
  }

  // With screen refresh: one turn a frame, for as long as the button is down.
  Proc<> emit_drag(const Proc<Num>& draw_row, const Proc<Num, Num>& put) {
    return sprite_.define_yielding<>("drag slider", {}, [&](Script& s) {
      s.set(at_, floor((kFirstY + kRowHeight / 2 - mouse_y()) / kRowHeight) + 1);
      s.when(at_ > 0 && at_ < kRows + 1 && mouse_x() > kLeft - 14, [&](Script& s) {
        s.call(choose_row(draw_row), at_);
        const auto move = [&](Script& s) {
          s.call(put, range(0) + (mouse_x() - kLeft) * (range(1) - range(0)) / (kRight - kLeft), 1);
        };
        move(s);
        s.repeat_until(!mouse_down(), move);
      });
    });
  }

  Proc<Num> choose_row(const Proc<Num>& draw_row) {
    const auto old = sprite_.var<Num>("_setting left");
    return sprite_.define<Num>("choose row", {"row"}, [&](Script& s, Arg<Num> row) {
      s.set(old, row_);
      s.set(row_, row + 0);
      s.call(draw_row, old);
    });
  }

  Sprite& sprite_;
  const PenText& pen_;
  List<Num> ranges_{"_setting ranges"}, values_{"_setting values"};
  Var<Num> row_{"_setting row"}, at_{"_setting at"};
};

}  // namespace

SettingsBlocks emit_settings(Sprite& sprite, const PenText& pen) {
  return SettingsEmitter(sprite, pen).emit();
}

}  // namespace sb3lm
