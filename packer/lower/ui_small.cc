#include "lower/ui_small.h"

#include <string>

#include "model/project_names.h"
#include "scratch/script.h"

namespace sb3lm {

using namespace blocks;
using scratch::Monitor;

namespace {

constexpr const char* kBeforeSaving = "before you save";
constexpr double kStageWidth = 480, kStageHeight = 360, kTop = 64;

void show_list(scratch::Program& program, const char* name, double x, double width) {
  program.monitors.push_back({.mode = Monitor::Mode::list,
                              .name = name,
                              .x = x,
                              .y = kTop,
                              .width = width,
                              .height = kStageHeight - kTop});
}

}  // namespace

void add_small_ui(scratch::Program& program, bool has_tokenizer) {
  Sprite stage(program, 0);
  const Var<Str> status{names::kStatus}, message{names::kUserMessage};
  const char* const request = has_tokenizer ? names::kChat : names::kGenerate;
  stage.add_broadcast(request);
  stage.when_stage_clicked([&](Script& s) {
    s.when(same_text(status, "ready") || contains(status, "error"), [&](Script& s) {
      if (has_tokenizer) {
        s.ask("");
        s.set(message, answer());
      }
      s.broadcast(request);
    });
  });
  stage.when_key("space", [&](Script& s) { s.broadcast(names::kStop); });
  // Unpacked, the weights are more than the website saves.
  stage.when_key("u", [&](Script& s) { s.broadcast(names::kUnload); });
  stage.var<Str>(kBeforeSaving, "press U");
  program.monitors.push_back({.name = names::kStatus, .x = 5, .y = 5});
  program.monitors.push_back({.name = names::kProgress, .x = 5, .y = 34});
  program.monitors.push_back({.name = kBeforeSaving, .x = 150, .y = 34});
  if (has_tokenizer) {
    show_list(program, names::kTranscript, 0, kStageWidth);
  } else {
    show_list(program, names::kPromptTokens, 0, kStageWidth / 2);
    show_list(program, names::kOutputTokens, kStageWidth / 2, kStageWidth / 2);
  }
}

}  // namespace sb3lm
