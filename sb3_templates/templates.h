// The pictures of the stage and the buttons, built into the program from the files beside this one.
#pragma once

#include <string_view>

namespace sb3lm {

/// Text of a file below sb3_templates, such as "stage/backdrop.svg". Throws bug if there is none.
std::string_view template_file(std::string_view name);

}  // namespace sb3lm
