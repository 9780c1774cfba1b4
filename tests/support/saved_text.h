// Which texts survive saving: Scratch's reader of projects drops backspaces, its server refuses
// other control characters, and half of a surrogate pair is no text at all.
#pragma once

#include <string>

namespace sb3lm::test {

bool can_be_saved(const std::string& text);

/// JSON in which an escaped control character stands as one, for can_be_saved.
std::string unescaped_json(const std::string& json);

}  // namespace sb3lm::test
