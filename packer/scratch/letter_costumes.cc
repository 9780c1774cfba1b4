#include "scratch/letter_costumes.h"

#include <algorithm>

namespace sb3lm::blocks {
namespace {

constexpr const char* kLetterAsset = "letter.svg";
constexpr const char* kLetterSvg =
    R"(<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"></svg>)";

}  // namespace

int add_letter_costume(Sprite& sprite, const std::string& name) {
  sprite.program().assets[kLetterAsset] = kLetterSvg;
  auto& costumes = sprite.target().costumes;
  costumes.push_back({name, kLetterAsset});
  return static_cast<int>(costumes.size());
}

int letter_costume(Sprite& sprite, const std::string& name) {
  const auto& costumes = sprite.target().costumes;
  const auto found = std::find_if(costumes.begin(), costumes.end(),
                                  [&](const auto& costume) { return costume.name == name; });
  if (found != costumes.end()) return static_cast<int>(found - costumes.begin()) + 1;
  return add_letter_costume(sprite, name);
}

}  // namespace sb3lm::blocks
