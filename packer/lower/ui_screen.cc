#include "lower/ui_screen.h"

#include <optional>

#include "lower/stage.h"
#include "lower/ui_conversation.h"
#include "lower/ui_pen.h"
#include "lower/ui_settings.h"
#include "lower/ui_sign.h"
#include "lower/ui_suggestions.h"
#include "lower/ui_texts.h"
#include "model/project_names.h"
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
constexpr double kSignHeight = 44,
                 kSignReach = 100;    // of the bar over the sign, its ends are round
constexpr double kRefreshMs = 250;    // of the numbers
constexpr double kScrollPixels = 48;  // for one press of a key
constexpr double kSlowSeconds = 0.5;  // a token
constexpr const char *kTrack = "#cdd8ec", *kFill = "#3f9d6b", *kFloor = "#e6edf8",
                     *kStatusText = "#3b4a6b", *kKeyText = "#31456f", *kWhite = "#ffffff";

std::vector<Scalar> button_items(const UiOptions& options) {
  const char *blue = "#4b6cb0", *message = options.has_tokenizer ? kAskMessage : names::kGenerate;
  const std::vector<Button> buttons = {
      {-127, -146, 210, 36, 30, UiText::ask, blue, message},
      {-127, -146, 210, 36, 0, UiText::stop, "#d9484f", names::kStop},
      {-193, 116, 90, 26, 0, UiText::new_chat, blue, names::kNewChat},
      {-193, 84, 90, 26, 0, UiText::settings, blue, kSettingsMessage},
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
  ScreenEmitter(Sprite& screen, Sprite& stage, const UiOptions& options)
      : screen_(screen),
        pen_(emit_pen_text(screen, read_font(template_file("stage/font.txt")))),
        talk_(emit_conversation(screen, pen_, paint_)),
        settings_(emit_settings(screen, pen_)) {
    if (options.has_tokenizer && !options.suggestions.empty()) {
      suggestions_ = emit_suggestions(screen, stage, pen_, talk_.covered, options.suggestions);
    }
    screen.list<Str>(buttons_.name, button_items(options));
    screen.list<Num>(marks_.name, {options.loading_marks.begin(), options.loading_marks.end()});
    for (const auto* variable : {&shown_status_, &said_}) screen.var<Str>(variable->name, "");
    for (const auto* variable : {&row_, &main_row_, &shown_time_, &slow_, &forgotten_, &stages_}) {
      screen.var<Num>(variable->name);
    }
  }

  void emit() {
    read_button_ = emit_read_button();
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
    const auto update = emit_update({show_status, start_over});
    screen_.when_flag([&](Script& s) {
      s.call(pen_.unpack);
      s.set(talk_.covered, 0);
      s.set(slow_, 0);
      s.set(shown_status_, "");
      s.set(main_row_, kAskRow);
      s.call(start_over);
      s.broadcast(kWakeMessage);
    });
    screen_.when_received(kWakeMessage,
                          [&](Script& s) { s.forever([&](Script& s) { s.call(update); }); });
    emit_messages(emit_press());
    emit_keys();
  }

 private:
  static Expr<Bool> is_status(const char* text) {
    return same_text(Var<Str>(names::kStatus), text);
  }

  // Reads a row of the list of buttons into variables.
  Proc<Num> emit_read_button() {
    for (const auto* variable : {&x_, &y_, &width_, &height_, &key_width_, &text_}) {
      screen_.var<Num>(variable->name);
    }
    for (const auto* variable : {&color_, &message_}) screen_.var<Str>(variable->name, "");
    const auto at = screen_.var<Num>("_button at");
    return screen_.define<Num>("read button", {"row"}, [&](Script& s, Arg<Num> row) {
      s.set(at, row * kFields);
      int k = 1 - kFields;
      for (const auto* variable : {&x_, &y_, &width_, &height_, &key_width_, &text_}) {
        s.set(*variable, Expr<Num>(std::move(buttons_[at + k++]).take()));
      }
      for (const auto* variable : {&color_, &message_}) s.set(*variable, buttons_[at + k++]);
    });
  }

  Proc<Num> emit_draw_button() {
    const auto half = screen_.var<Num>("_button half");
    const List<Str> texts(kUiTexts);
    return screen_.define<Num>("draw button", {"row"}, [&](Script& s, Arg<Num> row) {
      s.call(read_button_, row);
      s.set(half, (width_ - height_) / 2);
      s.call(pen_.bar, color_, height_, x_ - half, y_, x_ + half, y_);
      s.call(pen_.bar, kWhite, kKeyHeight, x_ + half - key_width_, y_, x_ + half, y_);
      s.call(pen_.write, texts[text_ + 0], kWhite, x_ - (key_width_ + kKeyHeight) / 2, y_, 0.5);
      s.call(pen_.write, texts[text_ + 1], kKeyText, x_ + half - key_width_ / 2, y_, 0.5);
    });
  }

  // say = what is happening, in words.
  Proc<> emit_say() {
    const Var<Num> progress(names::kProgress), speed(names::kTokensPerSecond);
    const List<Num> output(names::kOutputTokens);
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
      s.set(said_, Var<Str>(names::kStatus));
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
      s.when(contains(Var<Str>(names::kStatus), "error"),
             [&](Script& s) { s.set(said_, ui_text(UiText::failed)); });
    });
  }

  Proc<> emit_show_status(const Proc<>& say) {
    const Var<Num> progress(names::kProgress);
    return screen_.define<>("show what happens", {}, [&](Script& s) {
      s.set(shown_time_, milliseconds());
      s.call(say);
      const auto bar = [&](Script& s, const char* color, double size, Expr<Num> end, double y) {
        s.call(pen_.bar, color, size, kStatusX + 4, y, std::move(end), y);
      };
      bar(s, kFloor, 20, kBarEnd, kStatusY);
      bar(s, kFloor, 10, kBarEnd, kBarY);
      s.when(progress < 100 && progress > 0, [&](Script& s) {
        bar(s, kTrack, 8, kBarEnd, kBarY);
        bar(s, kFill, 8, kStatusX + 4 + progress * ((kBarEnd - kStatusX - 4) / 100), kBarY);
      });
      s.call(pen_.write, said_, kStatusText, kStatusX, kStatusY, 0);
    });
  }

  void emit_paint(const Proc<Num>& draw_button, const Proc<>& show_status) {
    screen_.define<>(paint_.code, {}, [&](Script& s) {
      s.pen_clear();
      s.call(pen_.bar, kWhite, kSignHeight, kSignX - kSignReach, kSignY, kSignX + kSignReach,
             kSignY);
      s.call(draw_button, main_row_);
      s.call(draw_button, kNewChatRow);
      s.call(draw_button, kSettingsRow);
      s.call(show_status);
      s.when(talk_.covered == 1, [&](Script& s) {
        s.call(draw_button, kSurpriseRow);
        s.call(settings_.draw);
      });
      if (suggestions_) s.call(suggestions_->draw);
      s.call(talk_.redraw);  // last: new letters go on where it leaves the pen
    });
  }

  struct UpdateParts {
    const Proc<>&show_status, &start_over;
  };
  Proc<> emit_update(UpdateParts parts) {
    const Var<Num> forgotten(names::kForgottenTurns), pace(names::kSecondsPerToken),
        compiled(names::kCompiled);
    const Var<Str> status(names::kStatus);
    const auto note_change = screen_.define<>("note change of status", {}, [&](Script& s) {
      s.set(shown_status_, status);
      s.when(contains(status, "error"), [&](Script& s) { note_error(s); });
      s.when(is_status("ready") && compiled == 0 && pace > kSlowSeconds && slow_ == 0,
             [&](Script& s) {
               s.set(slow_, 1);
               s.call(talk_.note, ui_text(UiText::slow));
             });
      s.set(main_row_, kAskRow);
      s.when(is_status("thinking"), [&](Script& s) { s.set(main_row_, kStopRow); });
      s.call(paint_);  // all of it: what is only painted over keeps a fringe of the old colour
    });
    return screen_.define<>("update", {}, [&](Script& s) {
      s.when(talk_.outdated(), [&](Script& s) { s.call(parts.start_over); });
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

  // What the user has written and the conversation lacks is given back.
  void note_error(Script& s) {
    const Var<Str> message(names::kUserMessage);
    s.when(length(message) > 0 &&
               !List<Str>(names::kTranscript).contains(join(names::kUserTurn, message)),
           [&](Script& s) { s.call(talk_.note, join(ui_text(UiText::you_wrote), message)); });
    s.call(talk_.note, Var<Str>(names::kStatus));
  }

  // Sends the message of the button under the mouse.
  Proc<> emit_press() {
    return screen_.define<>("press button", {}, [&](Script& s) {
      s.set(row_, 1);
      s.repeat(kSurpriseRow, [&](Script& s) {
        s.call(read_button_, row_);
        s.when((row_ == main_row_ || row_ > kStopRow) &&
                   (abs(mouse_x() - x_) < width_ / 2 && abs(mouse_y() - y_) < height_ / 2),
               [&](Script& s) { s.broadcast_named(message_); });
        s.change(row_, 1);
      });
    });
  }

  void emit_messages(const Proc<>& press) {
    screen_.when_received(kClickMessage, [&](Script& s) {
      s.call(press);
      if (suggestions_) s.call(suggestions_->press);
      s.when_else(
          talk_.covered == 1, [&](Script& s) { s.call(settings_.drag); },
          [&](Script& s) { s.call(talk_.drag); });
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
    const std::pair<const char*, const char*> messages[] = {{"s", names::kStop},
                                                            {"n", names::kNewChat},
                                                            {"o", kSettingsMessage},
                                                            {"r", kSurpriseMessage}};
    screen_.when_key("space", [&](Script& s) { s.broadcast_named(buttons_[kFields]); });
    for (const auto& pair : messages) {
      screen_.add_broadcast(pair.second);
      screen_.when_key(pair.first, [&](Script& s) { s.broadcast(pair.second); });
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
  std::optional<SuggestionBlocks> suggestions_;
  Proc<Num> read_button_;
  List<Str> buttons_{"_buttons"};
  Var<Num> x_{"_button x"}, y_{"_button y"}, width_{"_button width"}, height_{"_button height"},
      key_width_{"_button key width"}, text_{"_button text"};
  Var<Str> color_{"_button color"}, message_{"_button message"};
  List<Num> marks_{"_loading marks"};
  Var<Str> shown_status_{"_shown status"}, said_{"_said"};
  Var<Num> row_{"_button row"}, main_row_{"_main button"}, shown_time_{"_shown time"},
      slow_{"_is slow"}, forgotten_{"_shown forgotten"}, stages_{"_loading stages"};
};

}  // namespace

void emit_screen(Sprite& screen, Sprite& stage, const UiOptions& options) {
  ScreenEmitter(screen, stage, options).emit();
}

}  // namespace sb3lm
