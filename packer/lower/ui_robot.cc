#include "lower/ui_robot.h"

#include "lower/stage.h"
#include "model/project_names.h"
#include "sb3_templates/templates.h"

namespace sb3lm {

using namespace blocks;

namespace {

constexpr const char *kAwake = "awake", *kTalking = "talking", *kThinking = "thinking",
                     *kAsleep = "asleep";
constexpr double kX = -193, kY = -30;
constexpr double kCenterX = 42, kCenterY = 52;  // of the pictures
constexpr double kSize = 100, kBreath = 3;      // per cent
constexpr double kMouthSeconds = 0.12;

}  // namespace

void emit_robot(Sprite& robot, const std::string& message) {
  for (const char* costume : {kAwake, kTalking, kThinking, kAsleep}) {
    const std::string asset = std::string("robot-") + costume + ".svg";
    robot.program().assets[asset] = std::string(template_file("sprites/" + asset));
    robot.target().costumes.push_back({costume, asset, kCenterX, kCenterY});
  }
  robot.target().x = kX;
  robot.target().y = kY;
  robot.target().current_costume = 3;
  const Var<Str> status(names::kStatus);
  const List<Num> output(names::kOutputTokens);
  const auto heard = robot.var<Num>("_heard tokens");
  const auto face = robot.var<Str>("_face", ""), shown = robot.var<Str>("_shown face", "");
  const auto is = [&](const char* text) { return same_text(status, text); };
  // Switching a costume redraws the stage, and ends the player's step, even if it is the same one.
  const auto show = [&](Script& s) {
    s.when(!same_text(face, shown), [&](Script& s) {
      s.set(shown, face);
      s.switch_costume(face);
    });
    s.wait(kMouthSeconds);
  };
  const auto size = robot.var<Num>("_robot size");
  robot.when_received(kWakeMessage, [&](Script& s) {
    s.set(shown, "");
    s.set(size, kSize);
    s.forever([&](Script& s) {
      s.set(face, kAwake);
      s.when(!(is("ready") || contains(status, "error")), [&](Script& s) {
        s.set(face, kAsleep);
        s.when(is("thinking"), [&](Script& s) {
          s.set(size, 2 * kSize + kBreath - size);  // breathes
          s.set_size(size);
          s.when_else(
              heard == output.length(), [&](Script& s) { s.set(face, kThinking); },
              [&](Script& s) {
                s.when(same_text(shown, kAwake), [&](Script& s) { s.set(face, kTalking); });
              });
          s.set(heard, output.length());
        });
      });
      show(s);
    });
  });
  robot.add_broadcast(message);
  robot.when_clicked([&](Script& s) { s.broadcast(message); });
}

}  // namespace sb3lm
