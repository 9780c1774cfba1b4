// The texts of the interface by name; the project has them in one list, `interface texts`.
#pragma once

#include <string_view>
#include <vector>

#include "scratch/script.h"

namespace sb3lm {

enum class UiText {
#define TEXT(name, text) name,
#include "lower/ui_texts.def"
#undef TEXT
};

/// In English, in the list's order.
std::vector<std::string_view> ui_texts();

/// Place in the list, from 1.
constexpr int place_of(UiText text) {
  return static_cast<int>(text) + 1;
}

/// Item of the list.
blocks::Expr<blocks::Str> ui_text(UiText text);

inline constexpr const char* kUiTexts = "interface texts";

}  // namespace sb3lm
