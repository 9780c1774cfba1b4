#include "lower/ui_texts.h"

namespace sb3lm {

std::vector<std::string_view> ui_texts() {
  return {
#define TEXT(name, text) text,
#include "lower/ui_texts.def"
#undef TEXT
  };
}

blocks::Expr<blocks::Str> ui_text(UiText text) {
  return blocks::List<blocks::Str>(kUiTexts)[place_of(text)];
}

}  // namespace sb3lm
