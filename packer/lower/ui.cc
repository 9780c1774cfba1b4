// The user interface in blocks. Scripts live on the stage: its `ask` shows the question above the
// box instead of in a speech bubble.
#include "lower/ui.h"

#include <string_view>
#include <utility>

#include "base/error.h"
#include "sb3_templates/templates.h"
#include "scratch/script.h"

namespace sb3lm {
namespace {

using namespace blocks;
using scratch::Monitor;

constexpr int kLines = 7;           // of the conversation's monitor
constexpr double kLineWidth = 395;  // pixels of text in one of its rows

const Var<Str> kStatus{"status"}, kUserMessage{"user message"};
const Var<Num> kShown{"_ui shown"};  // what the conversation shows of the transcript
const List<Str> kTranscript{"transcript"}, kConversation{"conversation"};

constexpr std::size_t kTitleBytes = 29;  // what fits beside the buttons
constexpr std::size_t kSubtitleBytes = 50;

// At most about `bytes` of text, cut between letters.
std::string shortened(const std::string& text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (text[bytes] & 0xC0) == 0x80) --bytes;
  return text.substr(0, bytes) + "…";
}

std::string xml_text(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '&') {
      escaped += "&amp;";
    } else if (c == '<') {
      escaped += "&lt;";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

void fill(std::string& svg, const std::string& placeholder, std::string_view text) {
  const std::string mark = "{{" + placeholder + "}}";
  const std::size_t at = svg.find(mark);
  check(at != std::string::npos, "the backdrop lacks a placeholder");
  svg.replace(at, mark.size(), xml_text(text));
}

void check_contract(const scratch::Target& stage) {
  const auto has = [](const auto& items, std::string_view name) {
    for (const auto& item : items) {
      if (item.name == name) return true;
    }
    return false;
  };
  check(stage.is_stage, "the program's first target is not the stage");
  for (const char* name : {"status", "progress", "user message"}) {
    check(has(stage.variables, name), "the stage lacks a variable of the user interface");
  }
  for (const char* name : {"transcript", "prompt tokens", "output tokens"}) {
    check(has(stage.lists, name), "the stage lacks a list of the user interface");
  }
}

class UiEmitter {
 public:
  UiEmitter(scratch::Program& program, const UiOptions& options)
      : program_(program), options_(options), stage_(program, 0) {}

  void emit() {
    add_backdrop();
    add_monitor({.mode = Monitor::Mode::normal, .name = "status", .x = 10, .y = 270});
    add_monitor({.mode = Monitor::Mode::normal, .name = "progress", .x = 10, .y = 300});
    options_.has_tokenizer ? add_conversation() : add_token_lists();
    add_button("Stop", "stop", "stop", {.x = 107, .width = 64});
    if (options_.has_tokenizer) {
      add_button("New chat", "new_chat", "new chat", {.x = 188, .width = 90});
    } else {
      add_button("Generate", "generate", "generate", {.x = 188, .width = 90});
    }
  }

 private:
  struct Place {
    double x, width;
  };

  void add_backdrop() {
    std::string svg(template_file("stage/backdrop.svg"));
    std::string subtitle = options_.model_name;
    if (!subtitle.empty() && !options_.parameters.empty()) subtitle += " · ";
    subtitle += options_.parameters;
    fill(svg, "title", shortened(options_.title, kTitleBytes));
    fill(svg, "subtitle", shortened(subtitle, kSubtitleBytes));
    program_.assets["backdrop.svg"] = std::move(svg);
    auto& costumes = stage_.target().costumes;
    costumes.insert(costumes.begin(), {"chat", "backdrop.svg", 240, 180});
    stage_.target().current_costume = 0;
  }

  void add_monitor(Monitor monitor) { program_.monitors.push_back(std::move(monitor)); }

  // A round button that broadcasts `message` when clicked.
  void add_button(const std::string& name, const std::string& picture, const std::string& message,
                  Place place) {
    const std::string asset = picture + ".svg";
    program_.assets[asset] = std::string(template_file("sprites/" + asset));
    scratch::Target button;
    button.name = name;
    button.costumes.push_back({name, asset, place.width / 2, 13});
    button.x = place.x;
    button.y = 158;  // in the bar at the top
    button.layer = static_cast<int>(program_.targets.size());
    program_.targets.push_back(std::move(button));
    Sprite sprite(program_, program_.targets.size() - 1);
    sprite.add_broadcast(message);
    sprite.when_clicked([&](Script& s) { s.broadcast(message); });
  }

  void add_token_lists() {
    for (const bool output : {false, true}) {
      add_monitor({.mode = Monitor::Mode::list,
                   .name = output ? "output tokens" : "prompt tokens",
                   .x = output ? 245.0 : 10.0,
                   .y = 54,
                   .width = 225,
                   .height = 206});
    }
    stage_.when_flag([&](Script& s) {
      show_state(s);
      s.wait_until(is_status("ready"));
      s.hide_variable("progress");
    });
  }

  void add_conversation() {
    stage_.list<Str>(kConversation.name);
    add_monitor({.mode = Monitor::Mode::list,
                 .name = kConversation.name,
                 .x = 10,
                 .y = 47,
                 .width = 460,
                 .height = 214});
    const auto add_line = emit_add_line();
    const auto refresh = emit_refresh(emit_add_lines(add_line));
    stage_.when_flag([&](Script& s) {
      show_state(s);
      s.call(refresh);
      s.wait_until(is_status("ready"));
      s.forever([&](Script& s) { ask_for_message(s); });
    });
    stage_.when_received("chat", [&](Script& s) {
      show_state(s);
      s.wait(0);  // lets the engine's first block set the status
      s.repeat_until(!is_status("thinking"), [&](Script& s) { s.call(refresh); });
      s.call(refresh);
      s.when(!is_status("ready"), [&](Script& s) { s.call(add_line, kStatus); });
      hide_state(s);
    });
    stage_.when_received("new chat", [&](Script& s) {
      s.clear(kConversation);
      s.set(kShown, 0);
    });
  }

  void ask_for_message(Script& s) {
    hide_state(s);
    s.ask(options_.is_chat ? "Ask me something" : "Begin a story");
    s.when(length(answer()) > 0, [&](Script& s) {
      s.wait_until(!is_status("thinking"));  // somebody else may have started the engine meanwhile
      s.set(kUserMessage, answer());
      s.broadcast("chat");
      s.wait(0);
      s.wait_until(!is_status("thinking"));
    });
  }

  static Expr<Bool> is_status(const char* text) { return same_text(kStatus, text); }
  static void show_state(Script& s) {
    s.show_variable("status");
    s.show_variable("progress");
  }
  // The question box covers them.
  static void hide_state(Script& s) {
    s.hide_variable("status");
    s.hide_variable("progress");
  }

  // Adds a finished line; the oldest leaves, as a list's monitor does not scroll by itself.
  Proc<Str> emit_add_line() {
    return stage_.define<Str>("_ui add line", {"line"}, [&](Script& s, Arg<Str> line) {
      s.append(kConversation, line);
      s.when(kConversation.length() > kLines, [&](Script& s) { s.erase(kConversation, 1); });
    });
  }

  // Adds a text, cut between words by the approximate width of its letters.
  Proc<Str> emit_add_lines(const Proc<Str>& add_line) {
    const auto at = stage_.var<Num>("_ui at"), width = stage_.var<Num>("_ui width"),
               word_width = stage_.var<Num>("_ui word width");
    const auto one = stage_.var<Str>("_ui letter", ""), line = stage_.var<Str>("_ui line", ""),
               word = stage_.var<Str>("_ui word", "");
    const auto end_line = [&](Script& s) {
      s.call(add_line, line);
      s.set(line, "");
      s.set(width, 0);
    };
    const auto end_word = [&](Script& s) {
      s.when(width + word_width > kLineWidth && width > 0, end_line);
      s.set(line, join(line, word));
      s.change(width, word_width);
      s.set(word, "");
      s.set(word_width, 0);
    };
    const auto add_letter = [&](Script& s) {
      s.set(word, join(word, one));
      s.change(word_width, 7);
      s.when(contains_letter("iljtf.,;:'!|()[]r ", one),
             [&](Script& s) { s.change(word_width, -3); });
      s.when(contains_letter("mwMW@", one), [&](Script& s) { s.change(word_width, 4); });
    };
    return stage_.define<Str>("_ui add text", {"text"}, [&](Script& s, Arg<Str> text) {
      s.set(line, "");
      s.set(word, "");
      s.set(width, 0);
      s.set(word_width, 0);
      s.set(at, 1);
      s.repeat(length(text), [&](Script& s) {
        s.set(one, letter(at, text));
        s.when_else(
            same_text(one, "\n"),
            [&](Script& s) {
              end_word(s);
              end_line(s);
            },
            [&](Script& s) {
              add_letter(s);
              s.when(same_text(one, " ") || word_width > kLineWidth, end_word);
            });
        s.change(at, 1);
      });
      end_word(s);
      s.when(length(line) > 0, end_line);
    });
  }

  static Expr<Bool> contains_letter(const char* letters, const Var<Str>& one) {
    return detail::binary<Bool>(Op::text_contains, Expr<Str>(letters), Expr<Str>(one));
  }

  // Shows the last question and its answer, as far as the lines reach.
  Proc<> emit_refresh(const Proc<Str>& add_lines) {
    stage_.var<Num>(kShown.name);
    return stage_.define<>("_ui refresh", {}, [&](Script& s) {
      auto turns = [] { return kTranscript.length(); };
      s.when(!(kShown == turns() + length(kTranscript[turns()]) * 1000), [&](Script& s) {
        s.set(kShown, turns() + length(kTranscript[turns()]) * 1000);
        s.clear(kConversation);
        s.when(turns() > 1, [&](Script& s) { s.call(add_lines, kTranscript[turns() - 1]); });
        s.when(turns() > 0, [&](Script& s) { s.call(add_lines, kTranscript[turns()]); });
      });
    });
  }

  scratch::Program& program_;
  const UiOptions& options_;
  Sprite stage_;
};

}  // namespace

void add_chat_ui(scratch::Program& program, const UiOptions& options) {
  check(!program.targets.empty(), "a program without a stage");
  check_contract(program.targets.front());
  UiEmitter(program, options).emit();
}

}  // namespace sb3lm
