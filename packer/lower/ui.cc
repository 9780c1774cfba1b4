// The stage's scripts and pictures. `ask` is the stage's, for then no speech bubble shows the
// question.
#include "lower/ui.h"

#include <string_view>
#include <utility>

#include "base/error.h"
#include "lower/stage.h"
#include "lower/ui_robot.h"
#include "lower/ui_screen.h"
#include "lower/ui_sign.h"
#include "lower/ui_texts.h"
#include "model/project_names.h"
#include "sb3_templates/templates.h"
#include "scratch/script.h"

namespace sb3lm {
namespace {

using namespace blocks;
using scratch::Monitor;

const Var<Str> kStatus{names::kStatus}, kUserMessage{names::kUserMessage};

constexpr std::size_t kTitleBytes = 34;  // what fits into the bar
constexpr std::size_t kSubtitleBytes = 60;
constexpr const char* kAskNow = "_ask";
// TurboWarp keeps a project's settings in a comment of this form; with this one it draws the pen as
// sharp as the window allows.
constexpr const char* kTurboWarpSettings =
    "TurboWarp reads this: it makes the text sharp.\n{\"hq\":true} // _twconfig_";
// For those who look inside, as guide.def is for the engine.
constexpr const char* kAboutStage =
    "THE STAGE asks for a message, while the model has nothing to do, and broadcasts \"chat\". The "
    "variables and lists that sprites share are here.";
constexpr const char* kAboutScreen =
    "THE SCREEN draws the conversation, the buttons and the settings with the pen. Its words stand "
    "in the list \"interface texts\", where you can translate them.";
constexpr const char* kAboutRobot =
    "THE ROBOT watches \"status\" and the tokens: it sleeps until the weights are unpacked, "
    "thinks, and moves its mouth for every new token.";

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

void fill(std::string& svg, const std::string& placeholder, std::string_view svg_text) {
  const std::string mark = "{{" + placeholder + "}}";
  const std::size_t at = svg.find(mark);
  check(at != std::string::npos, "the backdrop lacks a placeholder");
  svg.replace(at, mark.size(), svg_text);
}

void check_contract(const scratch::Target& stage) {
  const auto has = [](const auto& items, std::string_view name) {
    for (const auto& item : items) {
      if (item.name == name) return true;
    }
    return false;
  };
  check(stage.is_stage, "the program's first target is not the stage");
  for (const char* name : {names::kStatus, names::kProgress, names::kUserMessage,
                           names::kForgottenTurns, names::kTemperature, names::kTopK, names::kTopP,
                           names::kRepetitionPenalty, names::kMaxNewTokens, names::kSeed,
                           names::kSecondsPerToken, names::kTokensPerSecond, names::kCompiled}) {
    check(has(stage.variables, name), "the stage lacks a variable of the user interface");
  }
  for (const char* name : {names::kTranscript, names::kPromptTokens, names::kOutputTokens}) {
    check(has(stage.lists, name), "the stage lacks a list of the user interface");
  }
}

class UiEmitter {
 public:
  UiEmitter(scratch::Program& program, const UiOptions& options)
      : program_(program), options_(options) {}

  void emit() {
    add_backdrop();
    add_texts();
    if (options_.has_tokenizer) {
      add_question();
    } else {
      add_token_lists();
    }
    stage().target().notes.emplace_back(kTurboWarpSettings);
    if (options_.has_tokenizer) stage().target().notes.emplace_back(kAboutStage);
    stage().when_stage_clicked([&](Script& s) { s.broadcast(kClickMessage); });
    Sprite screen = add_sprite("Screen");
    screen.target().visible = false;
    screen.target().notes.emplace_back(kAboutScreen);
    Sprite below = stage();
    emit_screen(screen, below, options_);
    Sprite sign = add_sprite("Sign");
    emit_sign(sign);
    Sprite robot = add_sprite("Robot");
    robot.target().notes.emplace_back(kAboutRobot);
    emit_robot(robot, options_.has_tokenizer ? kAskMessage : names::kGenerate);
  }

 private:
  Sprite stage() { return Sprite(program_, 0); }

  Sprite add_sprite(const std::string& name) {
    scratch::Target target;
    target.name = name;
    target.layer = static_cast<int>(program_.targets.size());
    program_.targets.push_back(std::move(target));
    return Sprite(program_, program_.targets.size() - 1);
  }

  void add_backdrop() {
    std::string svg(template_file("stage/backdrop.svg"));
    std::string subtitle = options_.model_name;
    if (!subtitle.empty() && !options_.parameters.empty()) subtitle += " · ";
    subtitle += options_.parameters;
    fill(svg, "title", xml_text(shortened(options_.title, kTitleBytes)));
    fill(svg, "subtitle", xml_text(shortened(subtitle, kSubtitleBytes)));
    fill(svg, "sign", sign_drawing());
    program_.assets["backdrop.svg"] = std::move(svg);
    auto& costumes = stage().target().costumes;
    costumes.insert(costumes.begin(), {"chat", "backdrop.svg", 240, 180});
    stage().target().current_costume = 0;
  }

  void add_texts() {
    std::vector<scratch::Scalar> texts;
    for (const std::string_view text : ui_texts()) texts.emplace_back(std::string(text));
    const auto replace = [&](UiText which, const char* text) {
      texts[static_cast<std::size_t>(place_of(which)) - 1] = std::string(text);
    };
    if (!options_.has_tokenizer) {
      replace(UiText::ask, "Generate");
    } else if (!options_.is_chat) {
      replace(UiText::ask, "Continue my text");
    }
    stage().list<Str>(kUiTexts, std::move(texts));
  }

  void add_token_lists() {
    stage().add_broadcast(names::kGenerate);
    for (const bool output : {false, true}) {
      program_.monitors.push_back({.mode = Monitor::Mode::list,
                                   .name = output ? names::kOutputTokens : names::kPromptTokens,
                                   .x = output ? 290.0 : 110.0,
                                   .y = 54,
                                   .width = 170,
                                   .height = 220});
    }
  }

  // A message that comes again restarts its script, so the one that waits for the answer has a
  // message of its own, which is sent only while nothing is being asked.
  void add_question() {
    // Behind the engine's private names in the alphabet (scratch/pass_order.h).
    const auto asking = stage().var<Num>("_waits for an answer");
    const auto is = [](const char* status) { return same_text(kStatus, status); };
    // What is asked while the weights are unpacked is answered once they are.
    const auto may_ask = [&] {
      return (is("ready") || contains(kStatus, "error")) || (is("loading") || is("warming up"));
    };
    stage().when_received(kWakeMessage, [&](Script& s) { s.set(asking, 0); });
    stage().when_received(kAskMessage, [&](Script& s) {
      s.when(asking == 0 && may_ask(), [&](Script& s) {
        s.set(asking, 1);
        s.broadcast(kAskNow);
      });
    });
    stage().when_received(kAskNow, [&](Script& s) {
      s.ask("");
      s.set(asking, 0);
      s.when(length(answer()) > 0, [&](Script& s) {
        s.set(kUserMessage, answer());
        s.broadcast(names::kChat);
      });
    });
    stage().add_broadcast(names::kChat);
  }

  scratch::Program& program_;
  const UiOptions& options_;
};

}  // namespace

void add_chat_ui(scratch::Program& program, const UiOptions& options) {
  check(!program.targets.empty(), "a program without a stage");
  check_contract(program.targets.front());
  UiEmitter(program, options).emit();
}

}  // namespace sb3lm
