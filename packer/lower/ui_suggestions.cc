#include "lower/ui_suggestions.h"

#include "base/error.h"
#include "model/project_names.h"

namespace sb3lm {
namespace {

using namespace blocks;
using scratch::Scalar;

constexpr double kLowestY = -86, kRowHeight = 27, kBarHeight = 22, kKeySize = 15;
constexpr double kLeft = -122, kRight = 214;  // of the bar behind a row, whose ends are round
constexpr double kTextLeft = -106;
constexpr const char *kBar = "#e6edf8", *kText = "#31456f", *kKey = "#ffffff";

}  // namespace

SuggestionBlocks emit_suggestions(Sprite& sprite, Sprite& stage, const PenText& pen,
                                  const Var<Num>& covered,
                                  const std::vector<std::string>& questions) {
  check(questions.size() <= kMostSuggestions, "a suggestion without a key");
  const auto list =
      stage.list<Str>(names::kSuggestions, std::vector<Scalar>(questions.begin(), questions.end()));
  const auto row = sprite.var<Num>("_suggestion"), y = sprite.var<Num>("_suggestion y");
  const auto is = [](const char* status) { return same_text(Var<Str>(names::kStatus), status); };
  const auto shown = [&] {
    return List<Str>(names::kTranscript).length() == 0 && covered == 0 &&
           !(is("thinking") || is("unloaded"));
  };
  // Calls `use` with each row's number and height in variables.
  const auto each = [&](Script& s, auto use) {
    s.set(row, 1);
    s.set(y, kLowestY + (list.length() - 1) * kRowHeight);
    s.repeat(list.length(), [&](Script& s) {
      use(s);
      s.change(row, 1);
      s.change(y, -kRowHeight);
    });
  };
  const auto draw = sprite.define<>("draw suggestions", {}, [&](Script& s) {
    s.when(shown(), [&](Script& s) {
      each(s, [&](Script& s) {
        s.call(pen.bar, kBar, kBarHeight, kLeft, y, kRight, y);
        s.call(pen.bar, kKey, kKeySize, kLeft, y, kLeft, y);
        s.call(pen.write, to_str(row), kText, kLeft, y, 0.5);
        s.call(pen.write, list[row + 0], kText, kTextLeft, y, 0);
      });
    });
  });
  const auto send =
      sprite.define<Num>("send suggestion", {"number"}, [&](Script& s, Arg<Num> which) {
        s.when(shown() && !(which > list.length()), [&](Script& s) {
          s.set(Var<Str>(names::kUserMessage), list[which + 0]);
          s.broadcast(names::kChat);
        });
      });
  const auto press = sprite.define<>("press suggestion", {}, [&](Script& s) {
    each(s, [&](Script& s) {
      s.when(abs(mouse_y() - y) < kBarHeight / 2 && mouse_x() > kLeft - kBarHeight / 2 &&
                 mouse_x() < kRight + kBarHeight / 2,
             [&](Script& s) { s.call(send, row); });
    });
  });
  for (int key = 1; key <= static_cast<int>(questions.size()); ++key) {
    sprite.when_key(std::to_string(key), [&](Script& s) { s.call(send, key); });
  }
  return {draw, press, send};
}

}  // namespace sb3lm
