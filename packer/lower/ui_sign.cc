// A sprite that is there but invisible through its ghost effect, which players take off when the
// stop sign is clicked.
#include "lower/ui_sign.h"

#include "model/project_names.h"
#include "sb3_templates/templates.h"

namespace sb3lm {

using namespace blocks;

namespace {

constexpr const char *kFile = "sprites/sign.svg", *kAsset = "sign.svg";
constexpr double kCenterX = 115, kCenterY = 20;

}  // namespace

std::string_view sign_drawing() {
  const std::string_view svg = template_file(kFile);
  const std::size_t begin = svg.find('>') + 1;
  return svg.substr(begin, svg.rfind("</svg>") - begin);
}

void emit_sign(Sprite& sign) {
  sign.program().assets[kAsset] = std::string(template_file(kFile));
  scratch::Target& target = sign.target();
  target.costumes.push_back({"sign", kAsset, kCenterX, kCenterY});
  target.x = kSignX;
  target.y = kSignY;
  target.visible = false;
  sign.when_flag([](Script& s) {
    s.set_effect("GHOST", 100);
    s.show();
    const Var<Str> status(names::kStatus);
    s.wait_until(same_text(status, "ready") || same_text(status, "thinking"));
    s.hide();
  });
}

}  // namespace sb3lm
