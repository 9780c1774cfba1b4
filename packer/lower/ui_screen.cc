#include "lower/ui_screen.h"

#include "lower/ui_conversation.h"
#include "lower/ui_pen.h"
#include "lower/ui_settings.h"
#include "lower/ui_texts.h"
#include "sb3_templates/templates.h"

namespace sb3lm {
namespace {

using namespace blocks;
using scratch::Scalar;

// One row of the list of buttons. The text of the key stands behind that of the button.
struct Button {
  double x, y, width, height, key_width;
  UiText text;
  const char *color, *message;
};
constexpr int kFields = 8;
constexpr int kAskRow = 1, kStopRow = 2, kNewChatRow = 3, kSettingsRow = 4, kSurpriseRow = 5;
constexpr double kKeyHeight = 15;

constexpr double kStatusX = -8, kStatusY = -136, kBarY = -158, kBarEnd = 230;
constexpr double kRefreshMs = 250;    // of the numbers
constexpr double kScrollPixels = 48;  // for one press of a key
constexpr double kSlowSeconds = 0.5;  // a token
constexpr double kTextScale = 0.84, kTextPen = 1.5, kTextDrop = 4;
constexpr const char *kTrack = "#cdd8ec", *kFill = "#3f9d6b", *kFloor = "#e6edf8",
                     *kStatusText = "#3b4a6b", *kKeyText = "#31456f", *kWhite = "#ffffff";

std::vector<Scalar> button_items(const UiOptions& options) {
  const char *blue = "#4b6cb0", *message = options.has_tokenizer ? kAskMessage : "generate";
  const std::vector<Button> buttons = {
      {-127, -146, 210, 36, 30, UiText::ask, blue, message},
      {-127, -146, 210, 36, 0, UiText::stop, "#d9484f", "stop"},
      {-193, 116, 84, 26, 0, UiText::new_chat, blue, "new chat"},
      {-193, 84, 84, 26, 0, UiText::settings, blue, kSettingsMessage},
      {160, -86, 130, 26, 0, UiText::surprise, kFill, kSurpriseMessage}};
  std::vector<Scalar> items;
  for (const Button& b : buttons) {
    const auto text = static_cast<double>(place_of(b.text));
    for (const double number : {b.x, b.y, b.width, b.height, b.key_width, text}) {
      items.emplace_back(js_number_text(number));
    }
    items.emplace_back(std::string(b.color));
    items.emplace_back(std::string(b.message));
  }
  return items;
}

class ScreenEmitter {
 public:
  ScreenEmitter(Sprite& screen, const UiOptions& options)
      : screen_(screen),
        pen_(emit_pen_text(screen, read_font(template_file("stage/font.txt")))),
        talk_(emit_conversation(screen, pen_, paint_)),
        settings_(emit_settings(screen, pen_)) {
    screen.list<Str>(buttons_.name, button_items(options));
    screen.list<Num>(marks_.name, {options.loading_marks.begin(), options.loading_marks.end()});
    for (const auto* variable : {&shown_status_, &said_}) screen.var<Str>(variable->name, "");
    for (const auto* variable : {&row_, &main_row_, &shown_time_, &slow_, &forgotten_, &stages_}) {
      screen.var<Num>(variable->name);
    }
  }

  void emit() {
    const auto draw_button = emit_draw_button();
    const auto say = emit_say();
    const auto show_status = emit_show_status(say);
    emit_paint(draw_button, show_status);
    const auto start_over = screen_.define<>("start over", {}, [&](Script& s) {
      s.call(talk_.clear);
      s.set(forgotten_, 0);
      s.call(talk_.note, ui_text(UiText::greeting));
      s.when(slow_ == 1, [&](Script& s) { s.call(talk_.note, ui_text(UiText::slow)); });
      s.call(paint_);
    });
    const auto update = emit_update({draw_button, show_status, start_over});
    screen_.when_flag([&](Script& s) {
      s.call(pen_.unpack);
      s.set(talk_.covered, 0);
      s.set(slow_, 0);
      s.set(shown_status_, "");
      s.set(main_row_, kAskRow);
      s.call(start_over);
      s.forever([&](Script& s) { s.call(update); });
    });
    emit_messages(emit_press());
    emit_keys();
  }

 private:
  static Expr<Bool> is_status(const char* text) { return same_text(Var<Str>("status"), text); }

  Expr<Str> field(int k) const { return buttons_[row_ + k]; }
  Expr<Num> number(int k) const { return to_num(field(k)); }
  // Where a row's fields begin, so that field(0) is the first.
  static Expr<Num> fields_at(Expr<Num> row) { return std::move(row) * kFields - (kFields - 1); }

  void line(Script& s, Expr<Num> x1, Expr<Num> x2, Expr<Num> y) {
    s.go_to(std::move(x1), copy(y));
    s.pen_down();
    s.go_to(std::move(x2), std::move(y));
    s.pen_up();
  }

  Proc<Num> emit_draw_button() {
    const auto right = screen_.var<Num>("_button right");
    const auto write = [&](Script& s, const char* color, int next, Expr<Num> x) {
      s.pen_color(color);
      s.pen_size(kTextPen);
      s.call(pen_.write, List<Str>(kUiTexts)[number(5) + next], std::move(x), number(1) - kTextDrop,
             0.5);
    };
    return screen_.define<Num>("draw button", {"row"}, [&](Script& s, Arg<Num> row) {
      s.set(row_, fields_at(row + 0));
      s.set(pen_.scale, kTextScale);
      s.pen_color(field(6));
      s.pen_size(number(3));
      line(s, number(0) - (number(2) - number(3)) / 2, number(0) + (number(2) - number(3)) / 2,
           number(1));
      s.set(right, number(0) + number(2) / 2 - number(3) / 2);
      s.pen_color(kWhite);
      s.pen_size(kKeyHeight);
      line(s, right - number(4), right, number(1));
      write(s, kWhite, 0, number(0) - (number(4) + kKeyHeight) / 2);
      write(s, kKeyText, 1, right - number(4) / 2);
    });
  }

  // say = what is happening, in words.
  Proc<> emit_say() {
    const Var<Num> progress("progress"), speed("tokens per second");
    const List<Num> output("output tokens");
    const auto loading = screen_.define<>("say what is loading", {}, [&](Script& s) {
      s.set(stages_, 0);
      s.repeat_until(!(progress > marks_[stages_ + 1] + 0) || stages_ == marks_.length(),
                     [&](Script& s) { s.change(stages_, 1); });
      s.set(said_, ui_text(UiText::unpacking_words));
      s.when(stages_ > 0 && stages_ < marks_.length(), [&](Script& s) {
        s.set(said_, join(join(ui_text(UiText::unpacking_layer), to_str(stages_)),
                          join(ui_text(UiText::of), to_str(marks_.length() - 1))));
      });
    });
    const auto is = [&](Script& s, const char* status, UiText text) {
      s.when(is_status(status), [&](Script& s) { s.set(said_, ui_text(text)); });
    };
    return screen_.define<>("say what happens", {}, [&](Script& s) {
      s.set(said_, Var<Str>("status"));
      is(s, "warming up", UiText::warming_up);
      is(s, "ready", UiText::ready);
      is(s, "thinking", UiText::reading);
      is(s, "unloaded", UiText::unloaded);
      s.when(is_status("loading"), [&](Script& s) { s.call(loading); });
      s.when(output.length() > 0, [&](Script& s) {
        s.set(said_, join(to_str(output.length()), ui_text(UiText::tokens)));
        s.when(speed > 0, [&](Script& s) {
          s.set(said_, join(join(said_, ", "),
                            join(to_str(round(speed * 10) / 10), ui_text(UiText::per_second))));
        });
      });
    });
  }

  Proc<> emit_show_status(const Proc<>& say) {
    const Var<Num> progress("progress");
    return screen_.define<>("show what happens", {}, [&](Script& s) {
      s.set(shown_time_, milliseconds());
      s.call(say);
      s.pen_color(kFloor);
      s.pen_size(20);
      line(s, kStatusX + 8, kBarEnd, kStatusY);
      line(s, kStatusX + 8, kBarEnd, kBarY);
      s.when(progress < 100 && progress > 0, [&](Script& s) {
        s.pen_color(kTrack);
        s.pen_size(8);
        line(s, kStatusX + 4, kBarEnd, kBarY);
        s.pen_color(kFill);
        line(s, kStatusX + 4, kStatusX + 4 + progress * ((kBarEnd - kStatusX - 4) / 100), kBarY);
      });
      s.set(pen_.scale, kTextScale);
      s.pen_color(kStatusText);
      s.pen_size(kTextPen);
      s.call(pen_.write, said_, kStatusX, kStatusY - kTextDrop, 0);
    });
  }

  void emit_paint(const Proc<Num>& draw_button, const Proc<>& show_status) {
    screen_.define<>(paint_.code, {}, [&](Script& s) {
      s.pen_clear();
      s.call(draw_button, main_row_);
      s.call(draw_button, kNewChatRow);
      s.call(draw_button, kSettingsRow);
      s.call(show_status);
      s.when_else(
          talk_.covered == 1,
          [&](Script& s) {
            s.call(draw_button, kSurpriseRow);
            s.call(settings_.draw);
          },
          [&](Script& s) { s.call(talk_.redraw); });
    });
  }

  struct UpdateParts {
    const Proc<Num>& draw_button;
    const Proc<>&show_status, &start_over;
  };
  Proc<> emit_update(UpdateParts parts) {
    const Var<Num> forgotten("forgotten turns"), pace("seconds per token");
    const Var<Str> status("status");
    const List<Str> transcript("transcript");
    const auto note_change = screen_.define<>("note change of status", {}, [&](Script& s) {
      s.set(shown_status_, status);
      s.when(contains(status, "error"), [&](Script& s) { s.call(talk_.note, status); });
      s.when(is_status("ready") && pace > kSlowSeconds && slow_ == 0, [&](Script& s) {
        s.set(slow_, 1);
        s.call(talk_.note, ui_text(UiText::slow));
      });
      s.set(main_row_, kAskRow);
      s.when(is_status("thinking"), [&](Script& s) { s.set(main_row_, kStopRow); });
      s.call(parts.draw_button, main_row_);
      s.call(parts.show_status);
    });
    return screen_.define<>("update", {}, [&](Script& s) {
      s.when(talk_.turn > transcript.length() || talk_.at > length(transcript[talk_.turn + 0]) + 1,
             [&](Script& s) { s.call(parts.start_over); });
      s.when(!(forgotten == forgotten_), [&](Script& s) {
        s.set(forgotten_, forgotten);
        s.call(talk_.note, ui_text(UiText::forgotten));
      });
      s.call(talk_.follow);
      s.when_else(
          same_text(status, shown_status_),
          [&](Script& s) {
            s.when(milliseconds() - shown_time_ > kRefreshMs && !is_status("ready"),
                   [&](Script& s) { s.call(parts.show_status); });
          },
          [&](Script& s) { s.call(note_change); });
    });
  }

  // Sends the message of the button under the mouse.
  Proc<> emit_press() {
    return screen_.define<>("press button", {}, [&](Script& s) {
      s.set(row_, 1);
      s.repeat(kSurpriseRow, [&](Script& s) {
        const auto is_row = [&](Expr<Num> row) { return row_ == fields_at(std::move(row)); };
        s.when((is_row(main_row_) || row_ > fields_at(kStopRow)) &&
                   (abs(mouse_x() - number(0)) < number(2) / 2 &&
                    abs(mouse_y() - number(1)) < number(3) / 2),
               [&](Script& s) { s.broadcast_named(field(7)); });
        s.change(row_, kFields);
      });
    });
  }

  void emit_messages(const Proc<>& press) {
    screen_.when_received(kClickMessage, [&](Script& s) {
      s.call(press);
      s.when(talk_.covered == 1, [&](Script& s) { s.call(settings_.drag); });
    });
    screen_.when_received(kSettingsMessage, [&](Script& s) {
      s.set(talk_.covered, 1 - talk_.covered);
      s.call(settings_.read);
      s.call(paint_);
    });
    screen_.when_received(kSurpriseMessage, [&](Script& s) {
      s.when(talk_.covered == 1, [&](Script& s) { s.call(settings_.surprise); });
    });
  }

  void emit_keys() {
    const std::pair<const char*, const char*> messages[] = {
        {"s", "stop"}, {"n", "new chat"}, {"o", kSettingsMessage}, {"r", kSurpriseMessage}};
    screen_.when_key("space", [&](Script& s) { s.broadcast_named(buttons_[kFields]); });
    for (const auto& [key, message] : messages) {
      screen_.add_broadcast(message);
      screen_.when_key(key, [&](Script& s) { s.broadcast(message); });
    }
    for (const bool up : {true, false}) {
      screen_.when_key(up ? "up arrow" : "down arrow", [&](Script& s) {
        s.when_else(
            talk_.covered == 1, [&](Script& s) { s.call(settings_.choose, up ? -1 : 1); },
            [&](Script& s) {
              s.call(talk_.scroll, up ? -kScrollPixels : kScrollPixels);
              s.call(paint_);
            });
      });
    }
    for (const bool right : {false, true}) {
      screen_.when_key(right ? "right arrow" : "left arrow", [&](Script& s) {
        s.when(talk_.covered == 1, [&](Script& s) { s.call(settings_.change, right ? 1 : -1); });
      });
    }
  }

  Sprite& screen_;
  Proc<> paint_{"paint all"};
  PenText pen_;
  ConversationBlocks talk_;
  SettingsBlocks settings_;
  List<Str> buttons_{"_buttons"};
  List<Num> marks_{"_loading marks"};
  Var<Str> shown_status_{"_shown status"}, said_{"_said"};
  Var<Num> row_{"_button at"}, main_row_{"_main button"}, shown_time_{"_shown time"},
      slow_{"_is slow"}, forgotten_{"_shown forgotten"}, stages_{"_loading stages"};
};

}  // namespace

void emit_screen(Sprite& screen, const UiOptions& options) {
  ScreenEmitter(screen, options).emit();
}

}  // namespace sb3lm
