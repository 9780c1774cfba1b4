#include "lower/ui_settings.h"

#include "lower/ui_texts.h"
#include "model/project_names.h"

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
    {names::kTemperature, 0, 2, 0.1},    {names::kTopK, 0, 100, 1},
    {names::kTopP, 0.05, 1, 0.05},       {names::kRepetitionPenalty, 1, 2, 0.05},
    {names::kMaxNewTokens, 10, 500, 10}, {names::kSeed, 1, 1000, 1},
};
constexpr int kRows = 6, kSeedRow = 6;
constexpr int kFields = 3;
constexpr double kSeeds = 1000;  // that `surprise me` chooses from

constexpr double kFirstY = 112, kRowHeight = 32;
constexpr double kLeft = -112, kRight = 210;  // of the slider's knob
constexpr double kTrackDrop = 9;              // of the slider below the middle of its row
constexpr double kTextRaise = 5;
constexpr double kRowLeft = -117, kRowRight = 215;  // of the bar behind a row, whose ends are round
constexpr double kTextLeft = -130, kTextRight = 228;
constexpr double kHelpY = -86;
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
    for (const auto* variable : {&at_, &least_, &most_, &step_}) sprite.var<Num>(variable->name);
  }

  SettingsBlocks emit() {
    const auto read = sprite_.define<>("read settings", {}, [&](Script& s) {
      s.clear(values_);
      for (const Setting& setting : kSettings) s.append(values_, Var<Num>(setting.variable) + 0);
    });
    read_range_ = emit_read_range();
    const auto draw_row = emit_draw_row();
    const auto draw = sprite_.define<>("draw settings", {}, [&](Script& s) {
      s.set(at_, 1);
      s.repeat(kRows, [&](Script& s) {
        s.call(draw_row, at_);
        s.change(at_, 1);
      });
      s.call(pen_.write, ui_text(UiText::settings_help), kHelp, kTextLeft, kHelpY, 0);
    });
    const auto put = emit_put(draw_row);
    // Leaves the range of the row in the variables.
    const auto choose_row =
        sprite_.define<Num>("choose row", {"row"}, [&](Script& s, Arg<Num> row) {
          s.set(at_, row_);
          s.set(row_, row + 0);
          s.call(draw_row, at_);
          s.call(draw_row, row_);
        });
    const auto drag = emit_drag(choose_row, put);
    const auto choose = sprite_.define<Num>("choose setting", {"by"}, [&](Script& s, Arg<Num> by) {
      s.call(choose_row, mod(row_ + by - 1, kRows) + 1);
    });
    const auto change =
        sprite_.define<Num>("change setting", {"steps"}, [&](Script& s, Arg<Num> by) {
          s.call(read_range_, row_);
          s.call(put, values_[row_ + 0] + by * step_);
        });
    const auto surprise = sprite_.define<>("surprise me", {}, [&](Script& s) {
      s.call(choose_row, kSeedRow);
      s.call(put, mod(floor(milliseconds()), kSeeds) + 1);
    });
    return {read, draw, drag, surprise, choose, change};
  }

 private:
  // Reads a row's range into variables.
  Proc<Num> emit_read_range() {
    const auto at = sprite_.var<Num>("_setting range");
    return sprite_.define<Num>("read range", {"row"}, [&](Script& s, Arg<Num> row) {
      s.set(at, row * kFields);
      int k = 1 - kFields;
      for (const auto* variable : {&least_, &most_, &step_}) s.set(*variable, ranges_[at + k++]);
    });
  }

  Proc<Num> emit_draw_row() {
    const auto row = sprite_.var<Num>("_setting drawn"), y = sprite_.var<Num>("_setting y"),
               knob = sprite_.var<Num>("_setting knob");
    const auto bar = [&](Script& s, const char* color, double size, Expr<Num> from, Expr<Num> to,
                         double drop) {
      s.call(pen_.bar, color, size, std::move(from), y - drop, std::move(to), y - drop);
    };
    return sprite_.define<Num>("draw setting", {"row"}, [&](Script& s, Arg<Num> which) {
      s.set(row, which + 0);
      s.call(read_range_, row);
      s.set(y, kFirstY + kRowHeight - row * kRowHeight);
      bar(s, kPaper, kRowHeight, kRowLeft, kRowRight, 0);  // no fringe stays
      s.when(row == row_,
             [&](Script& s) { bar(s, kChosen, kRowHeight - 2, kRowLeft, kRowRight, 0); });
      bar(s, kTrack, 4, kLeft, kRight, kTrackDrop);
      s.set(knob, kLeft + (values_[row + 0] - least_) * (kRight - kLeft) / (most_ - least_));
      s.when(knob > kRight, [&](Script& s) { s.set(knob, kRight); });
      s.when(knob < kLeft, [&](Script& s) { s.set(knob, kLeft); });
      bar(s, kKnob, 4, kLeft, knob, kTrackDrop);
      bar(s, kKnob, 11, knob, knob, kTrackDrop);
      const int first = place_of(UiText::temperature);
      s.call(pen_.write, List<Str>(kUiTexts)[row + (first - 1)], kText, kTextLeft, y + kTextRaise,
             0);
      s.call(pen_.write, to_str(values_[row + 0]), kText, kTextRight, y + kTextRaise, 1);
    });
  }

  // put (value): the chosen row's, whose range is in the variables.
  Proc<Num> emit_put(const Proc<Num>& draw_row) {
    const auto value = sprite_.var<Num>("_setting value");
    return sprite_.define<Num>("put setting", {"value"}, [&](Script& s, Arg<Num> wanted) {
      // Steps are hundredths, which numbers do not hold exactly.
      s.set(value, round(round(wanted / step_) * step_ * 100) / 100);
      s.when(value > most_, [&](Script& s) { s.set(value, most_); });
      s.when(value < least_, [&](Script& s) { s.set(value, least_); });
      s.replace(values_, row_ + 0, value);
      for (int i = 0; i < kRows; ++i) {
        s.set(Var<Num>(kSettings[i].variable), values_[i + 1]);
      }
      s.call(draw_row, row_);
    });
  }

  // With screen refresh: one turn a frame, for as long as the button is down.
  Proc<> emit_drag(const Proc<Num>& choose_row, const Proc<Num>& put) {
    const auto follow = sprite_.define<>("follow mouse", {}, [&](Script& s) {
      s.call(put, least_ + (mouse_x() - kLeft) * (most_ - least_) / (kRight - kLeft));
    });
    return sprite_.define_yielding<>("drag slider", {}, [&](Script& s) {
      s.set(at_, floor((kFirstY + kRowHeight / 2 - mouse_y()) / kRowHeight) + 1);
      s.when(at_ > 0 && at_ < kRows + 1 && mouse_x() > kTextLeft, [&](Script& s) {
        s.call(choose_row, at_);
        s.call(follow);
        s.repeat_until(!mouse_down(), [&](Script& s) { s.call(follow); });
      });
    });
  }

  Sprite& sprite_;
  const PenText& pen_;
  List<Num> ranges_{"_setting ranges"}, values_{"_setting values"};
  Proc<Num> read_range_;
  Var<Num> row_{"_setting row"}, at_{"_setting at"}, least_{"_setting least"},
      most_{"_setting most"}, step_{"_setting step"};
};

}  // namespace

SettingsBlocks emit_settings(Sprite& sprite, const PenText& pen) {
  return SettingsEmitter(sprite, pen).emit();
}

}  // namespace sb3lm
