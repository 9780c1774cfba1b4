#include "lower/ui_robot.h"

#include "sb3_templates/templates.h"

namespace sb3lm {

using namespace blocks;

namespace {

constexpr const char *kAwake = "awake", *kTalking = "talking", *kThinking = "thinking",
                     *kAsleep = "asleep";
constexpr double kX = -193, kY = -30;
constexpr double kCenterX = 42, kCenterY = 52;  // of the pictures
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
  const Var<Str> status("status");
  const List<Num> output("output tokens");
  const auto heard = robot.var<Num>("_heard tokens");
  const auto is = [&](const char* text) { return same_text(status, text); };
  robot.when_flag([&](Script& s) {
    s.forever([&](Script& s) {
      s.when_else(
          is("thinking"),
          [&](Script& s) {
            s.when_else(
                heard == output.length(), [&](Script& s) { s.switch_costume(kThinking); },
                [&](Script& s) { s.switch_costume(kTalking); });
            s.set(heard, output.length());
            s.wait(kMouthSeconds);
            s.when(output.length() > 0, [&](Script& s) { s.switch_costume(kAwake); });
            s.wait(kMouthSeconds);
          },
          [&](Script& s) {
            s.switch_costume(kAwake);
            s.when(!(is("ready") || contains(status, "error")),
                   [&](Script& s) { s.switch_costume(kAsleep); });
            s.wait(kMouthSeconds);
          });
    });
  });
  robot.add_broadcast(message);
  robot.when_clicked([&](Script& s) { s.broadcast(message); });
}

}  // namespace sb3lm
